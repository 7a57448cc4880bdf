"""Text -> tokens -> ids. Imports neither Keras nor TensorFlow."""
