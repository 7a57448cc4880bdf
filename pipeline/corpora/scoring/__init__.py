"""From documents to predictions, and what is counted, compared and shown of them."""
