"""The file formats: one module for each, and `read_part`, which chooses the module."""
