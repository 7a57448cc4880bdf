"""Beam transforms: wiring only; the work is in pure functions of the same noun."""
