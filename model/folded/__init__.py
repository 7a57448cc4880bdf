"""The CPU engine, which runs a trained network without Keras or TensorFlow."""
