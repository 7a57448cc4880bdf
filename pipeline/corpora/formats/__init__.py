"""One module a format, and the dispatch that chooses between them."""
