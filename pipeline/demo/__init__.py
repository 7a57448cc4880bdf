"""Generates the corpus of `make demo`."""
