"""Which configs there are, and which are standard."""

import pytest

from amxfp4.errors import UsageError
from amxfp4.hw.catalogue import LANES, PAIRS, PAIRS_OF_16, QUANTIZER_FORMATS, combinations, possible, standard
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.quantizer.config import QuantizerConfig


def test_every_pair_is_standard_at_every_number_of_lanes() -> None:
    """With every accumulator that the contract allows."""
    units = standard()
    assert len({unit.name for unit in units}) == len(units)
    macs = [unit for unit in units if isinstance(unit, MacConfig) and unit.block_size == 32]
    assert {mac.lanes for mac in macs} == set(LANES)
    for lanes in LANES:
        for pair in PAIRS:
            accumulators = [m.accumulator for m in macs if (m.activation, m.weight, m.lanes) == (*pair, lanes)]
            expected = ["fp32", "window"] if pair == ("MXFP4", "MXFP4") else ["exact", "fp32"]
            if pair[0] == "AMXFP4-E5M2" and lanes == 32:
                expected = ["exact"]  # two or four float32 additions do not fit into a block's one beat
            assert accumulators == expected, (pair, lanes)


def test_the_answer_of_the_readme_is_standard() -> None:
    assert MacConfig("AMXFP4-X2", "MXFP4-UE5M3", lanes=8) in standard("mac")


def test_blocks_of_16_are_standard_with_8_lanes() -> None:
    found = [(c.activation, c.weight, c.lanes) for c in standard("mac") if c.block_size == 16]
    names = ("MXFP4", "MXFP4", "NVFP4", "NVFP4", "MXFP4-UE5M3", "MXFP4-UE5M3", "AMXFP4-Z8", "AMXFP4-Z8")
    assert found == [(name, name, 8) for name in names], "exact, float32 and window"
    assert {c.block_size for c in standard()} == {16, 32}


def test_no_netlist_is_standard_under_two_names() -> None:
    """NVFP4's unit is that of MXFP4-E4M3 in blocks of 16."""
    assert MacConfig("NVFP4", "NVFP4") in standard("mac")
    assert MacConfig("MXFP4-E4M3/16", "MXFP4-E4M3/16") not in standard("mac")


def test_every_activation_side_has_a_standard_quantizer() -> None:
    sides = {(c.activation, c.block_size, c.lanes) for c in standard("mac") if isinstance(c, MacConfig)}
    quantizers = [c for c in standard("quantizer") if isinstance(c, QuantizerConfig)]
    compared = ("MXFP4-E4M3", 16, 8)  # the symmetric one of AMXFP4-Z8/16
    assert {(c.format, c.block_size, c.lanes) for c in quantizers} == sides | {compared}
    assert len(quantizers) == len(sides) + 1 == len(QUANTIZER_FORMATS) * len(LANES) + len(PAIRS_OF_16) + 1


def test_kinds_and_lanes_can_be_chosen() -> None:
    assert standard("mac") + standard("quantizer") == sorted(standard(), key=lambda c: isinstance(c, QuantizerConfig))
    assert standard("chain") == []
    assert standard("quantizer", [4, 4]) == [QuantizerConfig(name, lanes=4) for name in QUANTIZER_FORMATS]


@pytest.mark.parametrize("lanes", [0, 3, 64])
def test_wrong_lanes_are_refused(lanes: int) -> None:
    with pytest.raises(UsageError, match=f"lanes is {lanes}; allowed are 1, 2, 4, 8, 16, 32"):
        standard(lanes=[lanes])


def test_what_cannot_be_built_is_left_out() -> None:
    pairs = [("AMXFP4", "AMXFP4"), ("MXFP4", "MXFP4")]
    configs = possible(pairs, lanes=(8, 16), accumulator=("exact", "fp32"))
    assert [(c.activation, c.lanes, c.accumulator) for c in configs] == [
        *(("AMXFP4-E5M2", 8, "exact"), ("AMXFP4-E5M2", 8, "fp32"), ("AMXFP4-E5M2", 16, "exact")),
        *(("MXFP4", 8, "fp32"), ("MXFP4", 16, "fp32")),
    ]
    assert len(possible([*pairs, ("AMXFP4-E5M2", "AMXFP4-E5M2")])) == 2, "each once, whatever its formats are called"


def test_why_something_cannot_be_built() -> None:
    found = dict(enumerate(combinations([("MXFP4", "MXFP4")], {"accumulator": ("exact", "fp32")})))
    (asked, error), (_, config) = found[0], found[1]
    assert asked == {"pair": ("MXFP4", "MXFP4"), "accumulator": "exact"}
    assert isinstance(error, UsageError) and "take 'fp32'" in str(error)
    assert config == MacConfig("MXFP4", "MXFP4")
