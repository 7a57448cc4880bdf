"""The CPU engine, which runs a trained network without Keras and TensorFlow."""
