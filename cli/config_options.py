"""Command line options from the configs of units: fields and what they mean stand in one place, the config."""

import re
from collections.abc import Callable, Collection, Iterable
from typing import Any

import click

from amxfp4.hw.units import Unit

Command = Callable[..., Any]


def config_options(units: Iterable[Unit], skip: Collection[str] = ()) -> Callable[[Command], Command]:
    """Adds an option for each field that a config of these units has, but those to skip; one not given is None."""
    explained: dict[str, tuple[type, dict[str, list[str]]]] = {}  # per option: its type, and what it is in which units
    for unit in units:
        texts = explanations(unit.config)
        for field in unit.fields:
            if field.name in skip:
                continue
            kind = int if "int" in str(field.type) else str
            sentences = explained.setdefault(field.name, (kind, {}))[1]
            sentences.setdefault(texts.get(field.name, ""), []).append(unit.name)

    def decorate(command: Command) -> Command:
        for name, (kind, sentences) in reversed(explained.items()):
            text = "  ".join(f"[{', '.join(users)}] {sentence}" for sentence, users in sentences.items())
            metavar = "INTEGER" if kind is int else "TEXT"
            command = click.option(f"--{name.replace('_', '-')}", type=kind, metavar=metavar, help=text)(command)
        return command

    return decorate


def explanations(config: type) -> dict[str, str]:
    """The first sentence about each parameter, from the docstring's section "Parameters" of a class or its bases."""
    found: dict[str, str] = {}
    for base in config.__mro__:
        section = (base.__doc__ or "").partition("Parameters\n")[2]
        for names, text in re.findall(r"^    (\w[\w, ]*)\n((?:        .*\n)+)", section, re.MULTILINE):
            sentence = re.split(r"[.;] (?=[A-Z])|\.$", " ".join(text.split()).replace("`", ""))[0]
            for name in names.split(","):
                found.setdefault(name.strip(), sentence)
    return found
