"""The chart of what formats cost in memory and in accuracy, whatever units were measured."""

from amxfp4.accuracy.study_tables import cost, difference, embedding_error, shown_label
from amxfp4.golden import block_format
from amxfp4.report.chart import PALETTE, Chart, Panel, Series, Symbol
from amxfp4.report.inputs import Inputs
from amxfp4.synth.record import Record

_PANELS = {"linear layers quantised": "linear", "attention too": "linear and attention"}

_FAMILIES = (
    "MXFP4",
    "one scale with a mantissa",
    "NVFP4",
    "two free scales",
    "a halved side",
    "a special value",
    "INT4",
)


def error_and_bits(inputs: Inputs) -> Chart:
    """The embedding's error against the bits of an element, each format as it is used."""
    return Chart(
        "error-bits",
        "Bits and error of formats",
        "Down and to the left is better. Error: 1 - cosine of a sentence's embedding to float32's, the mean over the "
        f"sentences, {inputs.model}. Each format is in its own block size or, further right, in blocks of 16, MXFP4 "
        "by each of its rules. Circles: a dot product takes one sum, squares: four. INT4 that errs more than every FP4 "
        "is left out.",
        "points",
        "bits an element",
        "embedding's error, %",
        [Panel(title, _series(inputs.headline, products)) for title, products in _PANELS.items()],
        shared_x=True,
    )


def _series(records: list[Record], products: str) -> list[Series]:
    most = max((_error(record, products) for record in records if "activation" in record), default=0.0)
    series = []
    for family, colour in zip(_FAMILIES, PALETTE, strict=False):
        for record in records:
            error = _error(record, products)
            if _family(record) == family and error <= most:
                x = [float(record["activation_bits"])]
                series.append(Series(family, x, [error], [_about(record, products)], colour, _symbol(record)))
    return series


def _error(record: Record, products: str) -> float:
    return 100 * (1 - float(record["end_to_end"][products]["cosine_mean"]))


def _family(record: Record) -> str:
    if "activation" not in record:
        return "INT4"
    fmt = block_format(record["activation"])
    if fmt.name in _FAMILIES:
        return fmt.name
    if fmt.asymmetric:
        return "two free scales"
    if fmt.halving:
        return "a halved side"
    return "a special value" if fmt.specials else "one scale with a mantissa"


def _symbol(record: Record) -> Symbol:
    return "square" if _family(record) == "two free scales" else "circle"


def _about(record: Record, products: str) -> str:
    """What hovering shows."""
    lines = [
        f"<b>{shown_label(record)}</b>",
        f"{record['activation_bits']:.2f} bits, {cost(record)}",
        f"error {embedding_error(record, products)} %, less than NVFP4's by {difference(record)}, attention too",
    ]
    return "<br>".join(lines)
