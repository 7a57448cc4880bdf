"""Documents -> a dataset: digests, splits, labels, counts of tokens, examples, shards."""
