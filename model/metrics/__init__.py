"""How good a classifier is. NumPy alone."""
