"""On JAX, where TensorFlow need not be installed, the tests of its side of a seam are left out."""

from model.runtime.backend import backend_name

TENSORFLOW_ALONE = [
    "scoring/test_serving.py",
    "scoring/test_tensorflow_scorer.py",
    "scoring/test_tokenizer_graph.py",
    "scoring/test_wide_graph.py",
    "training/backends/test_tensorflow_optimizers.py",
]

collect_ignore = TENSORFLOW_ALONE if backend_name() == "jax" else []
