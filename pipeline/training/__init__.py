"""Trials: trainings of one configuration and seed, from a dataset to a model directory."""
