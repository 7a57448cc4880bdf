"""Trials: each trains one configuration with one seed, from a dataset to a model directory."""
