"""What training needs of a Keras backend (`protocol`), for TensorFlow and for JAX."""
