"""The tables of all formats."""

from helpers.docs import tables

from amxfp4.golden import BLOCK_FORMAT_NAMES
from amxfp4.report.format_table import casts_table, facts_table


def test_some_facts() -> None:
    rows = {row[0].strip("`"): row[1:] for row in tables(facts_table() + "\n")[0][1:]}
    assert tuple(rows) == BLOCK_FORMAT_NAMES
    assert rows["MXFP4"] == ["4.25", "32", "1 x E8M0", "none", "1", "-0", "1"]
    assert rows["AMXFP4-E5M2"] == ["4.5", "32", "2 x E5M2", "none", "1", "-0", "4"]
    assert rows["AMXFP4-X2"][3] == "2 bits behind the blocks"
    assert rows["AMXFP4-Z8"][3:6] == ["1 bit in the scale's byte", "1", "+8 or -8"]
    assert rows["AMXFP4-Z"][3] == "1 bit in the scale's byte, 1 bit behind the blocks"
    assert rows["NVFP4"][:2] + rows["NVFP4"][4:5] == ["4.5", "16", "float32, from the tensor"]


def test_some_casts() -> None:
    rows = {row[0].strip("`"): row[1:] for row in tables(casts_table() + "\n")[0][1:]}
    assert tuple(rows) == BLOCK_FORMAT_NAMES
    assert rows["MXFP4"] == ["floor, even, ceil", "nearest-away", "2^-127", "fp32, window"]
    assert rows["NVFP4"][1:] == ["nearest-even", "0", "exact, fp32"]
    assert rows["AMXFP4-Z8"][2] == "the smallest that is not 0"
