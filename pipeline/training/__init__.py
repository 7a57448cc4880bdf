"""Trials: each trains one configuration with one seed and writes a model directory."""
