"""What becomes of one document: text -> tokens -> ids -> network -> prediction."""

import os

# TensorFlow reads it when it is loaded, on workers too: with oneDNN its rounding depends on
# the machine.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
