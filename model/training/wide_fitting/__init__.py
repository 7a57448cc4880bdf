"""The wide part of a model: its features as matrices, its solver, and its mix with the network."""
