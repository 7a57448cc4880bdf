"""The stages that learn from text without labels: word vectors, and an encoder."""
