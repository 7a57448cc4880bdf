"""How good a classifier's predictions are, computed with NumPy alone."""
