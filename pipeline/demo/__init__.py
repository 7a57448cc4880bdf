"""The generated corpus of `make demo`."""
