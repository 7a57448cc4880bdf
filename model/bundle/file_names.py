"""The names of the files in a model directory."""

MANIFEST = "manifest.json"
CONFIG = "config.yaml"
WEIGHTS = "network.weights.safetensors"
HDF5_WEIGHTS = "network.weights.h5"  # in its place in bundles of schema 1
WIDE_WEIGHTS = "wide.weights.safetensors"  # of models with a wide part
VOCABULARY = "vocabulary.txt"
LABELS = "labels.txt"
GOLDEN = "golden.jsonl"
METRICS = "metrics.json"
BASELINE = "baseline.json"  # the metrics of the linear baseline on the same dataset
HISTORY = "history.csv"
STATISTICS = "statistics.json"
GALLERY = "gallery.jsonl"
PROFILE = "profile.json"  # of the validation documents; the drift check compares with it
SERVING = "serving"
