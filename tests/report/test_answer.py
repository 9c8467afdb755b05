"""The answer in numbers."""

from helpers import report_samples

from amxfp4.hw.mac.config import MacConfig
from amxfp4.report.answer import answer
from amxfp4.report.inputs import Inputs
from amxfp4.report.pairs import pair_of


def price(found: Inputs, activation: str, weight: str, lanes: int, ratio: float) -> None:
    """Sets what asymmetry costs in one unit."""
    unit = found.unit((activation, weight), lanes)
    assert unit is not None
    unit["ratio_to_symmetric"] = ratio


def test_in_numbers(found: Inputs) -> None:
    verdict, prices, whole, speed, energy, accuracy = answer(found)
    assert verdict == (
        "Yes for AMXFP4-X2 × MXFP4-UE5M3 and AMXFP4-X2 at every number of lanes; no for AMXFP4-E5M2 × MXFP4-E5M2 and "
        "AMXFP4-E5M2, if negligible means at most 5 % of the symmetric unit's area."
    )
    assert prices.startswith(
        "Asymmetry alone costs, with the default accumulator at 1, 8 and 32 lanes in library sample: "
        "AMXFP4-E5M2 × MXFP4-E5M2 +"
    )
    assert "AMXFP4-X2 +3.6 % / +3.6 % / +3.6 %" in prices
    assert whole.startswith("The whole AMXFP4-X2 × MXFP4-UE5M3 unit, the cheapest of them, is ×1.23 at 1 lane, ")
    assert speed == "Its clock period is ×1.00, ×1.00 and ×1.00 of MXFP4's."
    assert energy == "A MAC takes ×1.25 at 8 lanes of MXFP4's energy."
    assert "MXFP4 16.22, MXFP4-E5M2 18.20" in accuracy
    assert accuracy.endswith("AMXFP4-X2 19.27; beside them MXFP4, even 17.72 and NVFP4 19.80.")


def test_what_is_in_other_blocks_is_kept_apart(found: Inputs) -> None:
    """The energy is not that of the same formats in blocks of 16, and NVFP4 with a unit of its own is named once."""
    unit = report_samples.area_record(MacConfig("NVFP4", "NVFP4", lanes=8))
    found.units.append(unit)
    ours = next(unit for unit in found.energy if pair_of(unit) == ("AMXFP4-X2", "MXFP4-UE5M3"))
    found.energy.append(ours | {"block_size": 16, "ratio_to_mxfp4": 9.0})
    *_, energy, accuracy = answer(found)
    assert energy == "A MAC takes ×1.25 at 8 lanes of MXFP4's energy."
    assert accuracy.count("NVFP4 19.80") == 1
    assert accuracy.endswith("beside them MXFP4, even 17.72.")


def test_by_lanes(found: Inputs) -> None:
    price(found, "AMXFP4-X2", "AMXFP4-X2", 1, 1.0501)
    price(found, "AMXFP4-E5M2", "AMXFP4-E5M2", 32, 0.99)
    verdict, prices, *_ = answer(found)
    assert verdict.startswith(
        "Yes for AMXFP4-X2 × MXFP4-UE5M3 at every number of lanes, for AMXFP4-E5M2 at 32 lanes, for AMXFP4-X2 at 8 and "
        "32 lanes; no for AMXFP4-E5M2 × MXFP4-E5M2,"
    )
    assert "−1.0 %" in prices


def test_a_no(found: Inputs) -> None:
    for unit in found.units:
        if unit["ratio_to_symmetric"] is not None:
            unit["ratio_to_symmetric"] += 1
    price(found, "AMXFP4-X2", "AMXFP4-X2", 8, 1.062)
    assert answer(found)[0] == (
        "No: asymmetry costs more than 5 % of the symmetric unit's area in every design measured; the least is "
        "AMXFP4-X2 with +6.2 % at 8 lanes."
    )


def test_nothing_asymmetric(found: Inputs) -> None:
    few = Inputs([unit for unit in found.units if unit["activation"] == "MXFP4"], [], found.cases, "m", False, [], [])
    assert answer(few) == ["Nothing asymmetric was measured together with its symmetric unit, so there is no answer."]
