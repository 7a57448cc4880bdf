"""Documents -> predictions, and the counts, comparisons and examples made from them."""
