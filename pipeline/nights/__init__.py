"""The protocol of a date: who may change its partition, and how a run becomes it."""
