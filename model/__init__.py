"""Everything that happens to one document: text -> tokens -> ids -> network -> prediction."""

import os

# With oneDNN, TensorFlow's rounding depends on the machine. TensorFlow reads this variable when it
# is imported; this package is imported first, on workers too.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
