"""From documents to predictions, and what is told of a scored corpus."""
