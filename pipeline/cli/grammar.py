"""The grammar of the command line on top of Typer's: one line for every mistake.

Typer takes any word after an option as its value, and any word that begins with a hyphen as an
option. Here a forgotten value is noticed (`--output --verbose`), and a text or a number may begin
with a hyphen (`explain --model m "- good"`). Every mistake names the nearest valid word.
"""

import difflib
import re
from collections.abc import Iterable, Sequence
from typing import Any, NoReturn

import typer
from typer.core import TyperArgument, TyperCommand, TyperGroup, TyperOption
from typing_extensions import override

from model.config import ConfigError

Context = Any  # Typer's context; its class is private

# One or two hyphens and a name. `-1`, `-` and `- a sentence` are values.
OPTION = re.compile(r"--?[A-Za-z][-\w]*(=.*)?", re.DOTALL)


# Options of `limelight` itself that take nothing and end it.
ALONE = ("--version", "--install-completion", "--show-completion")


class Group(TyperGroup):
    """`limelight` itself: its options, then the name of a command."""

    @override
    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        if ctx.resilient_parsing:  # the shell asks for completions: nothing is wrong yet
            return super().parse_args(ctx, args)
        known = _names(self.get_params(ctx))
        for word in args:
            if not OPTION.fullmatch(word):
                break
            if word not in known:
                hint = _nearest(word, known) or "write options after the name of the command."
                _fail(ctx, f"unknown option {word}, {hint}")
            others = [each for each in args if each != word]
            if word in ALONE and others:
                _fail(ctx, f"{word}: expected no other word beside it, got {others[0]!r}.")
        rest = super().parse_args(ctx, args)
        given = [word for word in args if word not in known]
        commands = list(self.commands)
        if not given:
            _fail(ctx, f"expected a command ({', '.join(commands)}), got none.")
        if given[0] not in self.commands:
            hint = _nearest(given[0], commands) or f"known are: {', '.join(commands)}."
            _fail(ctx, f"unknown command {given[0]}, {hint}")
        return rest


class Command(TyperCommand):
    """One command: its options in any order, and its texts if it takes any."""

    @override
    def parse_args(self, ctx: Context, args: list[str]) -> list[str]:
        if ctx.resilient_parsing:
            return super().parse_args(ctx, args)
        options, texts = self._sort_words(ctx, args)
        takes_texts = any(isinstance(each, TyperArgument) for each in self.params)
        if texts and not takes_texts:
            more = ""
            if len(texts) > 1:
                more = f" and {len(texts) - 1} more; the shell puts the files in place of a pattern"
            advice = "Quote values with a space or *."
            _fail(ctx, f"expected an option, got {texts[0]!r}{more}. {advice}")
        given = {word.partition("=")[0] for word in options}
        missing = [
            f"{each.opts[0]} {each.metavar}" if isinstance(each, TyperOption) else "TEXT"
            for each in self.params
            if each.required and not (given & set(each.opts) or (texts and takes_texts))
        ]
        if missing and not given & set(ctx.help_option_names):
            _fail(ctx, f"expected {', '.join(missing)}, got none.")
        try:
            return super().parse_args(ctx, [*options, "--", *texts])
        except typer.BadParameter as error:
            option = error.param.opts[0] if error.param else ""
            problem = error.message.removeprefix("Value error, ").rstrip(".")  # as pydantic says it
            _fail(ctx, f"{option}: {_plain_choice(problem)}.")

    def _sort_words(self, ctx: Context, words: Iterable[str]) -> tuple[list[str], list[str]]:
        """Joins every option to its value by `=`; the other words are texts."""
        parameters = self.get_params(ctx)
        known = _names(parameters)
        flags = _names(each for each in parameters if getattr(each, "is_flag", False))
        options: list[str] = []
        texts: list[str] = []
        rest = iter(words)
        for word in rest:
            name, equals, _ = word.partition("=")
            if not OPTION.fullmatch(word):
                texts.append(word)
            elif name not in known:
                hint = _nearest(name, known) or self._hint(ctx, name)
                _fail(ctx, f"unknown argument {word}, {hint}")
            elif name in ctx.help_option_names:
                return [word], []
            elif name in flags and equals:
                _fail(ctx, f"{name}: expected no value, got {word}.")
            elif name in flags or equals:
                options.append(word)
            else:
                value = next(rest, None)
                if value is None or OPTION.fullmatch(value):
                    _fail(ctx, f"{name}: expected a value, got {value or 'none'}.")
                options.append(f"{name}={value}")
        return options, texts

    def _hint(self, ctx: Context, name: str) -> str:
        """What a word may have been meant as that is like no option of this command."""
        commands = ctx.parent.command.commands.values()
        ours = {option for each in commands for option in _names(each.params)}
        takes_texts = any(isinstance(each, TyperArgument) for each in self.params)
        if name in ours or (not takes_texts and not name.startswith("--")):
            return "this command has no such option."
        if takes_texts and name != "--runner":
            return "put a space before a text that begins with a hyphen: ' -...'."
        return "flags for Beam go after --."


def _names(parameters: Iterable[Any]) -> list[str]:
    return [name for each in parameters if isinstance(each, TyperOption) for name in each.opts]


def _plain_choice(problem: str) -> str:
    """Typer's message for a value that is none of the choices, as expected and got."""
    match = re.fullmatch(r"('.*') is not one of (.*)", problem)
    if match is None:
        return problem
    got, choices = match.groups()
    near = _nearest(got, choices.split(", "))
    return f"expected one of {choices}, got {got}" + (f" ({near})" if near else "")


def _nearest(word: str, known: Sequence[str]) -> str:
    close = difflib.get_close_matches(word, known, n=1, cutoff=0.7)
    return f"did you mean {close[0]}?" if close else ""


def _fail(ctx: Context, message: str) -> NoReturn:
    """Raises `ConfigError` with where it was, what is wrong, and what to do."""
    where = ctx.command_path
    raise ConfigError(f"{where}: {message} Run {where} --help.") from None
