"""From documents to a dataset: splits, labels, vocabulary counts, examples."""
