"""Reads and writes the records and the protobuf messages of examples, without TensorFlow."""
