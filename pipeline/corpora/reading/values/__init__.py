"""What becomes of a value: from a column of a row to a field of a document."""
