"""Texts in, predictions out: the scorer and the engines that it may run."""
