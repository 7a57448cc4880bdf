"""The stages of a run: each a table of contents of the transforms it chains."""
