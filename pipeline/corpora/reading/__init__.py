"""From the bytes of a file to rows, and what is counted of them."""
