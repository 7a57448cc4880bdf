"""Turns input files into rows, documents and rejections, and counts them."""
