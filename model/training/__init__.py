"""Trains a network on shards of examples; learns or reads the word vectors that it starts with."""
