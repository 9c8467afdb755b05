"""Command line options from the configs of units: a field's name, type and meaning stand in the config alone."""

from collections.abc import Callable, Collection, Iterable, Mapping
from typing import Any

import click

from amxfp4.hw.units import Option, Unit, spelling

Command = Callable[..., Any]


def config_options(
    units: Iterable[Unit],
    skip: Collection[str] = (),
    *,
    multiple: bool = False,
    spellings: Mapping[str, tuple[str, ...]] = {},
) -> Callable[[Command], Command]:
    """Adds an option for each field that a config of these units has. An option that is not given is None.

    Args:
        units: Where a field means different things in two of them, its help says so.
        skip: Fields without an option.
        multiple: Whether each option may be repeated; then one that is not given is an empty tuple.
        spellings: For a field, other names of its option.
    """
    units = list(units)
    meanings: dict[str, list[tuple[Option, Unit]]] = {}
    for unit in units:
        for option in unit.options:
            if option.name not in skip:
                meanings.setdefault(option.name, []).append((option, unit))

    def decorate(command: Command) -> Command:
        for name, members in reversed(meanings.items()):
            option = members[0][0]
            spelled = f"{option.spelling}/{spelling(f'no_{name}')}" if option.kind is bool else option.spelling
            command = click.option(
                *spellings.get(name, ()),
                spelled,
                name,
                type=option.kind,
                default=None,
                multiple=multiple,
                metavar={int: "INTEGER", str: "TEXT"}.get(option.kind),
                help=_help(members, len(units)),
            )(command)
        return command

    return decorate


def given(fields: Mapping[str, Any]) -> dict[str, Any]:
    """The options that were given, out of all that `config_options` added."""
    return {name: value for name, value in fields.items() if value not in (None, ())}


def _help(members: list[tuple[Option, Unit]], units: int) -> str:
    """What an option means in each unit that has it; of a command for one unit, without the unit's name."""
    sentences: dict[str, list[str]] = {}
    for option, unit in members:
        sentences.setdefault(_sentence(option), []).append(unit.name)
    return "  ".join(f"[{', '.join(users)}] {text}" if units > 1 else text for text, users in sentences.items())


def _sentence(option: Option) -> str:
    """What a field is, and its default unless that is said already."""
    if option.default is None or "default" in option.help:
        return option.help
    return f"{option.help.removesuffix('.')} (default {option.default})."
