"""Runs millions of documents through the model: Beam, Arrow, files, the command line."""
