"""The model directory: its files, how they are written, verified and loaded.

A bundle is data: YAML, JSON, text and arrays of weights. Loading it unpickles nothing and runs no
code from it. The SavedModel in `serving/` is a TensorFlow program; only the engine `tensorflow`
runs it.
"""
