"""The error for a model directory that must not be used."""

from model.config import ConfigError


class BundleError(ConfigError):
    """A model directory that must not be used; the message is one line, shown to the user."""
