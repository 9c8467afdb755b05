"""Which units `amxfp4 area` and `amxfp4 fpga` measure."""

import pytest

from amxfp4.cli.asked_units import configs_asked_for
from amxfp4.errors import UsageError
from amxfp4.hw.catalogue import standard
from amxfp4.hw.chain import ChainConfig
from amxfp4.hw.mac.config import MacConfig
from amxfp4.hw.quantizer.config import QuantizerConfig


def test_the_standard_ones() -> None:
    found = configs_asked_for(None, (), {})
    assert found[: len(standard())] == standard()
    # NVFP4's quantiser rounds ties to even, and so does the one that it is compared with.
    assert found[len(standard()) :] == [QuantizerConfig("MXFP4", 16, 8, rounding="nearest-even")]
    assert configs_asked_for("mac", (8,), {}) == standard("mac", [8])


def test_quantisers_bring_the_macs_that_they_feed() -> None:
    found = configs_asked_for("quantizer", (1,), {})
    quantizers = standard("quantizer", [1])
    assert found[: len(quantizers)] == quantizers
    assert found[len(quantizers) :] == [MacConfig(c.format, c.format, lanes=1) for c in quantizers]  # type: ignore[attr-defined]


def test_one_of_a_kind_without_standard_ones() -> None:
    found = configs_asked_for("chain", (), {})
    assert [config for config in found if config.as_dict()["activation"] == "AMXFP4-E5M2"] == [
        ChainConfig(MacConfig(lanes=lanes)) for lanes in (1, 8, 32)
    ]
    assert all(isinstance(config, ChainConfig) for config in found)


def test_fields_ask_for_one_unit_at_each_number_of_lanes() -> None:
    found = configs_asked_for(None, (1, 2), {"activation": "MXFP4"})
    accumulators = None, "window"
    assert found == [MacConfig("MXFP4", "MXFP4", lanes=n, accumulator=a) for a in accumulators for n in (1, 2)]
    found = configs_asked_for("quantizer", (4,), {"format": "MXFP4"})
    assert found == [QuantizerConfig("MXFP4", lanes=4), MacConfig("MXFP4", "MXFP4", lanes=4)]


def test_a_wrong_number_of_lanes_is_refused() -> None:
    with pytest.raises(UsageError, match="lanes is 3; allowed are"):
        configs_asked_for("quantizer", (3,), {})
