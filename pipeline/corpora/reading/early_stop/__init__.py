"""Stops a run of which it is certain, while it reads, that too many of its rows are rejected."""
