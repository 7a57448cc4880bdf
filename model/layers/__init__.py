"""The network and its layers, as Keras trains them."""
