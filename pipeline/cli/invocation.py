"""How a command was called: the command line as typed, Beam's flags, the runner profile."""

import dataclasses
import shlex
from collections.abc import Sequence


def split_beam_options(arguments: Sequence[str]) -> tuple[list[str], list[str]]:
    """Parts a command line at the first `--`.

    Returns:
        `(ours, beam_options)`: the words before it, and those after it, which are Beam's.
    """
    at = list(arguments).index("--") if "--" in arguments else len(arguments)
    return list(arguments[:at]), list(arguments[at + 1 :])


@dataclasses.dataclass(frozen=True, kw_only=True)
class Invocation:
    """What every command gets beside its own options.

    Attributes:
        arguments: what the user typed behind `limelight`.
        beam_options: Beam's flags: those of the runner profile, then those after `--`, which win.
        overrides: `KEY=VALUE` of the config: those of the runner profile, then those of `--set`.
        typed: those of `--set` alone.
    """

    arguments: tuple[str, ...]
    beam_options: tuple[str, ...] = ()
    overrides: tuple[str, ...] = ()
    typed: tuple[str, ...] = ()

    @property
    def command_line(self) -> str:
        """The command as a shell takes it."""
        return f"limelight {shlex.join(self.arguments)}"

    def with_profile(self, name: str | None, overrides: Sequence[str]) -> "Invocation":
        """Adds the `--runner-profile`, if one is given, and the values of `--set`.

        Raises:
            ConfigError: for a profile that is not there or cannot be read.
        """
        if not name:
            return dataclasses.replace(self, overrides=tuple(overrides), typed=tuple(overrides))
        from pipeline.runners.profiles import load_profile

        profile = load_profile(name)
        return dataclasses.replace(
            self,
            beam_options=(*profile.beam_options, *self.beam_options),
            overrides=(*profile.overrides, *overrides),
            typed=tuple(overrides),
        )
