"""From shards of examples to a trained network."""
