"""Training: from shards of examples to a trained network, and word vectors to begin with."""
