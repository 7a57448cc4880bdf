"""The state of a training between two epochs: its checkpoint, and its averaged weights."""
