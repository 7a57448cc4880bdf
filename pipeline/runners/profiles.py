"""Runner profiles: a YAML file of Beam's flags and config keys for one runner."""

import dataclasses
import difflib
from pathlib import Path
from typing import Any

import yaml

from model.config import ConfigError
from model.files.yaml_files import read_yaml

PROFILES = Path("configs/runners")

Flag = str | int | float | bool | list[str] | None


@dataclasses.dataclass(frozen=True, kw_only=True)
class Profile:
    """The flags and overrides that a profile puts before those of the command line, which win.

    Attributes:
        beam_options: Beam's flags.
        overrides: `KEY=VALUE` of the config, as `--set` takes them.
    """

    beam_options: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()


def load_profile(name: str) -> Profile:
    """Reads a profile.

    Args:
        name: of a file `configs/runners/<name>.yaml`, or the path of a file that ends in .yaml.

    Raises:
        ConfigError: for a profile that is not there or cannot be read.
    """
    path = Path(name) if name.endswith(".yaml") else PROFILES / f"{name}.yaml"
    try:
        values = read_yaml(path)
    except OSError:
        known = sorted(each.stem for each in PROFILES.glob("*.yaml"))
        close = difflib.get_close_matches(name, known, n=1)
        hint = f"did you mean {close[0]}?" if close else f"known are: {', '.join(known) or 'none'}."
        raise ConfigError(
            f"--runner-profile {name}: expected a profile at {path}, got none; {hint}"
        ) from None
    sections = values if isinstance(values, dict) else {"": values}
    unknown = sorted(set(map(str, sections)) - {"beam", "config"})
    beam, config = sections.get("beam") or {}, sections.get("config") or {}
    if unknown or not isinstance(beam, dict) or not isinstance(config, dict):
        raise ConfigError(
            f"{path}: expected the sections 'beam' and 'config' with keys of their own, got "
            f"{', '.join(unknown) or 'other values'}. Correct the file."
        )
    return Profile(
        beam_options=tuple(word for key, value in beam.items() for word in _flags(key, value)),
        overrides=tuple(f"{key}={_plain(value)}" for key, value in config.items()),
    )


def _flags(name: str, value: Flag) -> list[str]:
    """A YAML value as flags: true is the bare flag, a list is one flag an item."""
    if value is None or value is False:
        return []
    if value is True:
        return [f"--{name}"]
    return [f"--{name}={item}" for item in (value if isinstance(value, list) else [value])]


def _plain(value: Any) -> str:
    return str(yaml.safe_dump(value, default_flow_style=True, width=10_000)).split("\n")[0]
