"""The file formats: one module each, and `read_part`, which chooses between them."""
