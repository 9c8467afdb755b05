"""Options from the configs of units."""

from typing import Any

import click
import pytest
from click.testing import CliRunner

from amxfp4.cli.config_options import config_options, given
from amxfp4.hw.units import UNITS


def parsed(words: list[str], **arguments: Any) -> dict[str, Any]:
    """What a command with the options of a MAC unit is given."""
    found: dict[str, Any] = {}

    @click.command()
    @config_options([UNITS["mac"]], **arguments)
    def command(**fields: Any) -> None:
        found.update(fields)

    result = CliRunner().invoke(command, words)
    if result.exit_code:
        raise ValueError(result.output)
    return found


def test_what_is_not_given_is_none() -> None:
    fields = parsed(["--block-size", "16", "--accumulator", "fp32"])
    assert set(fields) == {option.name for option in UNITS["mac"].options}
    assert given(fields) == {"block_size": 16, "accumulator": "fp32"}


def test_fields_can_be_left_out() -> None:
    assert set(parsed([], skip=("lanes", "weight"))) == {
        *("activation", "block_size", "accumulator", "accumulator_bits", "front_registers", "window_exponent"),
    }


def test_options_can_be_repeated() -> None:
    fields = parsed(["--lanes", "1", "--lanes", "8"], multiple=True)
    assert given(fields) == {"lanes": (1, 8)}
    assert fields["block_size"] == ()


def test_an_option_can_have_other_names() -> None:
    for word in ("--format", "--activation"):
        fields = parsed([word, "MXFP4"], spellings={"activation": ("--format",)})
        assert given(fields) == {"activation": "MXFP4"}


def test_types_are_those_of_the_fields() -> None:
    assert parsed(["--accumulator-bits", "80"])["accumulator_bits"] == 80
    with pytest.raises(ValueError, match="'x' is not a valid integer"):
        parsed(["--accumulator-bits", "x"])
