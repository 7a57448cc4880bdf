"""Reads `config.yaml`, the settings of a model."""

from model.bundle.errors import BundleError
from model.config import ConfigError, ModelConfig
from model.config_loading import load_section
from model.files.regular_files import decode_utf8
from model.files.yaml_files import load_yaml
from model.text.protected import join_patterns

MAX_NODES = 20_000  # keys and values; a config has about a hundred, and its reserved tokens


def parse_config(content: bytes, *, where: str) -> ModelConfig:
    """The settings in the content of a file.

    Args:
        content: of the file.
        where: the file, for messages.

    Raises:
        ConfigError: if it is not UTF-8 or not YAML.
        BundleError: naming the key that does not fit.
    """
    sections = load_yaml(
        decode_utf8(content, where=where), where=where, max_nodes=MAX_NODES, plain=True
    )
    for name in ("text", "network", "training"):
        if not isinstance(sections, dict) or not isinstance(sections.get(name), dict):
            raise _wrong(where, f"{name}: expected a section with this name, got none")
    if not isinstance(sections.pop("name", ""), str):
        raise _wrong(where, "name: expected text, got another value")
    # Models of older releases have no wide part, and read invisible characters as part of words.
    sections["network"].setdefault("wide", None)
    sections["text"].setdefault("invisible", "keep")
    try:
        config = load_section(ModelConfig, sections, where=where)
        join_patterns(config.text.protected)
    except ConfigError as error:
        problem = str(error).removesuffix(f". Edit {where} or pass --set KEY=VALUE.")
        raise _wrong(where, problem[:500]) from None
    return config


def _wrong(where: str, problem: str) -> BundleError:
    return BundleError(f"{where}: {problem}. Copy the whole directory again.")
