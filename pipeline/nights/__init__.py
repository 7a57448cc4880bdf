"""The nights of an output: which run may change a date's partition, and how it publishes it."""
