"""Beam's runners: checks of their flags, profiles, Dataflow, workers, and running a pipeline."""
