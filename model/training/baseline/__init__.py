"""The linear baseline: TF-IDF features with logistic regression, to compare a network with."""
