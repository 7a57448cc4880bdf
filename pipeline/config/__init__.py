"""The configuration of a run: typed sections, and the YAML that fills them."""
