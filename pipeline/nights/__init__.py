"""The dates of an output, one per night: lease, commit, drift and reuse of their partitions."""
