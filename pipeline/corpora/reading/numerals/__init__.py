"""Numbers with all their digits, and values as JSON text."""
