"""From input files to rows, documents and rejections, and the counts of all of them."""
