"""Accuracy and area of each pair of formats in one table: that of the README."""

from amxfp4.accuracy.study_tables import shown_label
from amxfp4.hw.catalogue import Pair
from amxfp4.report.inputs import Inputs
from amxfp4.report.pairs import RATIOS, plural
from amxfp4.synth.record import Record


def pair_table(inputs: Inputs) -> str:
    """A Markdown table with one row per pair of formats, of the units with the default accumulator.

    Accuracy as measured; gate equivalents at the middle number of lanes; and for each number of lanes the area's ratio
    to MXFP4's unit with float32, to that with a window and to the symmetric unit. "-" where something was not measured.

    Behind MXFP4 stand MXFP4 by its best rule, whose unit is the same, and NVFP4.
    """
    middle = inputs.lanes[len(inputs.lanes) // 2]
    accuracy = ["outputs' SQNR, dB", "cosine of embeddings"]
    lanes = [plural(count) for count in inputs.lanes]
    headings = ["activations x weights", "accumulator", *accuracy, f"GE, {plural(middle)}", *lanes]
    rule = ["---", "---", *["---:"] * (len(headings) - 2)]
    rows = [headings, rule]
    for pair in inputs.pairs:
        rows.append(_row(inputs, pair, inputs.accuracy(pair), middle))
        if pair == _MXFP4:
            rows += [_row(inputs, _pair(case), case, middle) for case in inputs.baselines if _is_extra(inputs, case)]
    return "".join(f"| {' | '.join(row)} |\n" for row in rows)


_MXFP4: Pair = ("MXFP4", "MXFP4")


def _pair(case: Record) -> Pair:
    return case["activation"], case["weight"]


def _is_extra(inputs: Inputs, case: Record) -> bool:
    """Whether no pair's row has a case's accuracy."""
    return case["rule"] is not None or _pair(case) not in inputs.pairs


def _row(inputs: Inputs, pair: Pair, case: Record | None, middle: int) -> list[str]:
    unit = inputs.unit(pair, middle)
    sqnr = case and case["linear_layers_mean"]["output"]
    cosine = case and case["end_to_end"]["linear and attention"]["cosine_mean"]
    ratios = []
    for lanes in inputs.lanes:
        at = inputs.unit(pair, lanes)
        each = [at.get(key) for key, _ in RATIOS] if at else []
        ratios.append(" / ".join("-" if ratio is None else f"{ratio:.2f}" for ratio in each) or "-")
    return [
        shown_label(case) if case and case["rule"] else " x ".join(dict.fromkeys(pair)),
        "-" if unit is None else "exact" if unit["accumulator"] == "exact" else "float32",
        "-" if sqnr is None else f"{sqnr:.2f}",
        "-" if cosine is None else f"{cosine:.4f}",
        "-" if unit is None else f"{unit['area_ge']:.0f}",
        *ratios,
    ]
