"""Word vectors: learned from unlabeled text, or read from a file."""
