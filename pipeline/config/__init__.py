"""The configuration of a run: typed sections, and how they are read from YAML."""
