"""The Verilog of every structure stays as it was: a change of the code that changes a netlist is meant to."""

import json

import pytest
from helpers.digests import FIRST, OTHERS, RECORD, Digests, digests, tools

from amxfp4.hw.config import Config
from amxfp4.hw.mac.config import MacConfig


def recorded() -> dict[str, Digests]:
    return json.loads(RECORD.read_text())  # type: ignore[no-any-return]


def complaint(expected: Digests, found: Digests, made_with: Digests) -> str:
    """What to say where digests differ from the record's; nothing where none does."""
    changed = [name for name, value in found.items() if expected.get(name) != value]
    if not changed:
        return ""
    parts = [f"the Verilog changed of {', '.join(changed)}"]
    if made_with != tools():
        parts.append(f"the record was made with {made_with}, and here are {tools()}")
    return "; ".join([*parts, "if that is meant: python tests/hw/verilog_digests.py"])


def check(configs: list[Config]) -> None:
    record = recorded()
    found = complaint(record["digests"], digests(configs), record["tools"])
    assert not found, found


def test_one_unit_of_each_structure() -> None:
    check(FIRST)


@pytest.mark.full
def test_the_others() -> None:
    check(OTHERS)


def test_the_record_is_of_these_units() -> None:
    names = [config.name for config in (*FIRST, *OTHERS)]
    assert sorted(names) == list(recorded()["digests"])
    assert len(set(recorded()["digests"].values())) == len(names), "no two netlists are the same"


def test_every_structure_comes_first() -> None:
    first = {config.plan.structure for config in FIRST if type(config) is MacConfig}
    assert len(first) == 14
    assert {config.plan.structure for config in OTHERS if type(config) is MacConfig} == first


def test_a_change_is_named() -> None:
    """With the way to record it on purpose, and other tools where there are any."""
    assert complaint({"a": "1", "b": "2"}, {"a": "1", "b": "2"}, {}) == ""
    said = complaint({"a": "1", "b": "2"}, {"a": "1", "b": "3", "c": "4"}, tools())
    assert said == "the Verilog changed of b, c; if that is meant: python tests/hw/verilog_digests.py"
    assert "made with {'amaranth': '0.4'}" in complaint({"a": "1"}, {"a": "2"}, {"amaranth": "0.4"})
