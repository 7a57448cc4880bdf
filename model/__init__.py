"""Everything that happens to one document: text -> tokens -> ids -> network -> prediction."""

import os

# Libraries read these variables when they are imported or start; this package is imported first,
# on workers too.

# With oneDNN, TensorFlow's rounding depends on the machine.
os.environ.setdefault("TF_ENABLE_ONEDNN_OPTS", "0")
# GPU memory is taken as it is needed, so that several processes can share a GPU. In code this could
# be asked for only before TensorFlow starts, and preparing a corpus starts it.
os.environ.setdefault("TF_FORCE_GPU_ALLOW_GROWTH", "true")
os.environ.setdefault("XLA_PYTHON_CLIENT_PREALLOCATE", "false")
