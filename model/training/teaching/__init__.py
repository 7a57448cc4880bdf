"""Learning from the predictions of trained models."""
