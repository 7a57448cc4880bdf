"""Where a run's files lie, its manifest, its progress, and the commit that publishes it."""
