"""Beam's runners: options checked, profiles, Dataflow, the pipelines that run on them."""
