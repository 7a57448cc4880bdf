"""Reads and writes the protobuf messages of examples in compiled loops, without TensorFlow."""
