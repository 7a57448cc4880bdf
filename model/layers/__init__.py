"""The layers of the network, and the network that they make."""
