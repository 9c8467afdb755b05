"""Accuracy and area of each pair of formats in one table: that of the README."""

from amxfp4.accuracy.markdown_table import markdown_table
from amxfp4.accuracy.study_tables import shown_label
from amxfp4.hw.catalogue import Pair
from amxfp4.report.inputs import Inputs
from amxfp4.report.pairs import RATIOS, label, pair_of, plural
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
    rows = []
    for pair in inputs.pairs:
        rows.append(_row(inputs, label(pair, " x "), pair, inputs.accuracy(pair), middle))
        if pair == _MXFP4:
            rows += [_row(inputs, shown_label(case), pair_of(case), case, middle) for case in inputs.extra_baselines]
    return markdown_table(headings, rows, words=2) + "\n"


_MXFP4: Pair = ("MXFP4", "MXFP4")


def _row(inputs: Inputs, name: str, pair: Pair, case: Record | None, middle: int) -> list[str]:
    unit = inputs.unit(pair, middle)
    sqnr = case and case["linear_layers_mean"]["output"]
    cosine = case and case["end_to_end"]["linear and attention"]["cosine_mean"]
    ratios = []
    for lanes in inputs.lanes:
        at = inputs.unit(pair, lanes)
        each = [at.get(key) for key, _ in RATIOS] if at else []
        ratios.append(" / ".join("-" if ratio is None else f"{ratio:.2f}" for ratio in each) or "-")
    return [
        name,
        "-" if unit is None else "exact" if unit["accumulator"] == "exact" else "float32",
        "-" if sqnr is None else f"{sqnr:.2f}",
        "-" if cosine is None else f"{cosine:.4f}",
        "-" if unit is None else f"{unit['area_ge']:.0f}",
        *ratios,
    ]
