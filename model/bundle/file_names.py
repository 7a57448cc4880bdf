"""The names of the files in a model directory."""

MANIFEST = "manifest.json"
CONFIG = "config.yaml"
WEIGHTS = "network.weights.h5"
VOCABULARY = "vocabulary.txt"
LABELS = "labels.txt"
GOLDEN = "golden.jsonl"
METRICS = "metrics.json"
HISTORY = "history.csv"
STATISTICS = "statistics.json"
GALLERY = "gallery.jsonl"
PROFILE = "profile.json"  # of the validation documents; the drift check compares with it
SERVING = "serving"

# Predictions depend on these files alone; the other files only describe the model.
PREDICTION_FILES = (CONFIG, WEIGHTS, VOCABULARY, LABELS)
