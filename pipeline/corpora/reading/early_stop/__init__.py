"""Stops a run while it reads, once it is certain that it rejects too many rows to pass."""
