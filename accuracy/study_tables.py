"""The tables of the study that docs/accuracy.md has."""

from collections.abc import Sequence
from dataclasses import replace
from typing import Any

import numpy as np

from amxfp4.accuracy.baseline import ATTENTION_OPERANDS, LINEAR_INPUTS, WEIGHTS
from amxfp4.accuracy.case import BLOCK_SIZES, Case, mixed_cases
from amxfp4.accuracy.choice import BY_BLOCK_SIZE, headline_cases, rotated_cases
from amxfp4.accuracy.facts import EXAMPLE_SIZE, ROUNDING
from amxfp4.accuracy.markdown_table import markdown_table
from amxfp4.accuracy.summary import number
from amxfp4.golden import BlockFormat, block_format

Study = dict[str, Any]
"""As the module `study` describes it."""

Record = dict[str, Any]
"""One of its cases."""

BOTH = "linear and attention"

TENSOR_FORMATS = ("MXFP4", "MXFP4-E4M3", "AMXFP4-E4M3", "AMXFP4-X2", "AMXFP4-Z8")
"""Those that the table of tensors has: symmetric ones, and three kinds of asymmetry."""

_ERROR = "embedding's error, %"


def headline(study: Study) -> str:
    """Bits, what a dot product takes, and error: each format as it is used, and INT4."""
    headings = [
        *("format", "a dot product takes", "bits an element", "SQNR of outputs, dB"),
        *(f"{_ERROR}: linear layers", "and attention", "less than NVFP4's"),
    ]
    records = [*of_cases(study, headline_cases()), *study["int4"]]
    rows = [
        [
            shown_label(record),
            cost(record),
            number(record["activation_bits"], 2),
            number(record["linear_layers_mean"]["output"], 2),
            *(embedding_error(record, products) for products in ("linear", BOTH)),
            difference(record),
        ]
        for record in records
    ]
    return markdown_table(headings, rows, words=2)


def block_sizes(study: Study) -> str:
    """SQNR of outputs and the embedding's error by block size."""
    sizes = [str(size) for size in BLOCK_SIZES]
    headings = ["format", *(f"SQNR, {size}" for size in sizes), *(f"error, {size}" for size in sizes)]
    rows = []
    for name in BY_BLOCK_SIZE:
        found = [_find(study, Case(name, name, size, ROUNDING)) for size in BLOCK_SIZES]
        outputs = [record["linear_layers_mean"]["output"] if record else None for record in found]
        errors = [100 * (1 - record["end_to_end"][BOTH]["cosine_mean"]) if record else None for record in found]
        rows.append([name, *(number(value, 2) for value in (*outputs, *errors))])
    return markdown_table(headings, rows)


def offline(study: Study) -> str:
    """What weights encoded by least error gain."""
    cases = [case for case in _cases_of(study) if case.weight_encode == "least-error"]
    return _beside(study, sorted(cases, key=_headlines_place), "weight_encode", "direct", "least-error weights")


def pairs(study: Study) -> str:
    """Two formats, one for either operand, beside each of them for both; in blocks of 32."""
    mixed = [case for case in mixed_cases() if case.activation != case.weight]
    names = dict.fromkeys(name for case in mixed for name in (case.weight, case.activation))
    both = [Case(name, name, EXAMPLE_SIZE, ROUNDING) for name in names]
    found = of_cases(study, [*both, *mixed])
    found.sort(key=lambda record: -record["end_to_end"][BOTH]["cosine_mean"])
    rows = [
        [
            *(record["activation"], record["weight"]),
            number(record["linear_layers_mean"]["output"], 2),
            *(embedding_error(record, products) for products in ("linear", BOTH)),
        ]
        for record in found
    ]
    headings = ["inputs", "weights", "SQNR of outputs, dB", f"{_ERROR}: linear layers", "and attention"]
    return markdown_table(headings, rows, words=2)


def rotations(study: Study) -> str:
    """What a Hadamard rotation does to formats of blocks."""
    return _beside(study, rotated_cases(), "rotation", None, "rotated")


def four_over_six(study: Study) -> str:
    """What the other rule of FP8 scales does."""
    cases = [case for case in _cases_of(study) if case.rule == "four-over-six"]
    return _beside(study, cases, "rule", None, "four over six")


def tensor_scales(study: Study) -> str:
    """What a scale per tensor does."""
    scaled = [case for case in _cases_of(study) if case.tensor_scale]
    return _beside(study, scaled, "tensor_scale", None, "tensor scale")


def tensors(study: Study) -> str:
    """How lopsided each tensor is, and the SQNR of formats for it."""
    records = of_cases(study, [Case(name, name, EXAMPLE_SIZE, ROUNDING) for name in TENSOR_FORMATS])
    operands = {name: ([kind], "activation") for name, kind in LINEAR_INPUTS.items()}
    operands |= {name: ([kind], ("activation", "weight")[i]) for name, (kind, i) in ATTENTION_OPERANDS.items()}
    operands |= {"weights of linear layers": (list(WEIGHTS.values()), "weight")}
    sides = study["sides"][str(EXAMPLE_SIZE)]
    rows = []
    for name, (kinds, operand) in operands.items():
        of_tensor = [sides[name]] if name in sides else [sides[weight] for weight in WEIGHTS]
        blocks = sum(one["blocks"] for one in of_tensor)
        share = sum(one["twice"] * one["blocks"] for one in of_tensor) / blocks
        rows.append([name, f"{share:.1%}", *(number(mean_of_layers(record, kinds, operand), 2) for record in records)])
    return markdown_table(["tensor", "share of blocks", *(f"SQNR {record['label']}" for record in records)], rows)


def variants(study: Study) -> str:
    """AMXFP4-X2, AMXFP4-Z8 and AMXFP4-Z beside other ways to scale a block."""
    headings = ["scales", "a lane has beside MXFP4's", "bits an element", "sums", "inputs", "weights", "outputs"]
    rows = [
        [
            variant["name"],
            variant["lanes"],
            number(variant["bits_per_element"], 2),
            str(variant["sums"]),
            *(number(variant[operand], 2) for operand in ("activation", "weight", "output")),
        ]
        for variant in study["variants"]
    ]
    return markdown_table(headings, rows, words=2)


def underflow(study: Study) -> str:
    """Blocks in which the published arithmetic gives NaN; empty where there are none."""
    rows = []
    for size, by_name in study["underflow"].items():
        for name, layers in by_name.items():
            blocks, bad, ours = (
                sum(layer[key] for layer in layers) for key in ("blocks", "reference_nan_blocks", "our_nan_blocks")
            )
            if not bad:
                continue
            ratios = [layer["our_sqnr"] for layer in layers if layer["our_sqnr"] is not None]
            lost = max(layer["largest_lost"] for layer in layers)
            share = f"{100 * bad / blocks:.2g}%"
            least = number(min(ratios), 1)
            rows.append([f"{name}, blocks of {size}", str(blocks), str(bad), share, str(ours), least, f"{lost:.1e}"])
    headings = ["activation", "blocks", "with NaN", "share", "ours: with NaN"]
    headings += ["ours: least SQNR of a layer's, dB", "largest element lost"]
    return markdown_table(headings, rows) if rows else ""


def lost_sentences(study: Study) -> str:
    """Sentences that a NaN of the published arithmetic reaches."""
    rows = [
        [f"blocks of {size}", str(counts["linear"]), str(counts[BOTH])]
        for size, counts in study["sentences_with_reference_nan"].items()
    ]
    return markdown_table([f"of {study['sentences']} sentences", "linear layers quantised", "and attention"], rows)


def ties(study: Study) -> str:
    """How much figures change where ties go to even: the largest change over formats, in blocks of 32."""
    both = [
        (record, other)
        for record in study["cases"]
        if record["rounding"] == "nearest-even" and record["block_size"] == EXAMPLE_SIZE
        for other in study["cases"]
        if other["label"] == record["label"]
        and (other["rounding"], other["block_size"]) == ("nearest-away", EXAMPLE_SIZE)
    ]

    def most(*path: str) -> float:
        changes = []
        for pair in both:
            first, second = (_at(record, path) for record in pair)
            changes.append(abs(first - second))
        return max(changes, default=0.0)

    rows = [
        ["mean SQNR of outputs, dB", f"{most('linear_layers_mean', 'output'):.4f}"],
        ["mean cosine", f"{most('end_to_end', BOTH, 'cosine_mean'):.4f}"],
        ["cosine of the worst sentence", f"{most('end_to_end', BOTH, 'cosine_min'):.4f}"],
        ["rank correlation", f"{most('end_to_end', BOTH, 'rank_correlation'):.4f}"],
    ]
    return markdown_table(["figure", "largest change"], rows)


TABLES = {
    "headline": headline,
    "ties": ties,
    "block sizes": block_sizes,
    "offline": offline,
    "four over six": four_over_six,
    "tensor scales": tensor_scales,
    "rotations": rotations,
    "pairs": pairs,
    "tensors": tensors,
    "variants": variants,
    "nan": underflow,
    "lost sentences": lost_sentences,
}
"""Every table by the name of its place in docs/accuracy.md."""


def of_cases(study: Study, cases: Sequence[Case]) -> list[Record]:
    """The records of these ways, as far as the study has them."""
    return [record for case in cases if (record := _find(study, case))]


def best_rule(study: Study) -> Record | None:
    """MXFP4 by the rule, in blocks of 32, whose embeddings are closest to float32's; None if the study lacks it."""
    found = [
        record
        for record in of_cases(study, headline_cases())
        if record["activation"] == "MXFP4" and record["end_to_end"][BOTH]["cosine_mean"] is not None
    ]
    return max(found, key=lambda record: record["end_to_end"][BOTH]["cosine_mean"], default=None)


def shown_label(record: Record) -> str:
    """A record's label, in which a format's block size is said unless it is the format's own."""
    if "activation" not in record:
        return str(record["label"])
    names = [block_format(record[operand], record["block_size"]).label for operand in ("activation", "weight")]
    _, comma, departures = str(record["label"]).partition(", ")
    return " x ".join(dict.fromkeys(names)) + comma + departures


def cost(record: Record) -> str:
    """What a dot product of a record's operands takes, in words."""
    if "activation" not in record:
        return "one sum of integers" if record["group"] is None else "an integer sum and a float scale a group"
    fmt = block_format(record["activation"])
    words = [
        "four sums" if fmt.asymmetric else "one sum",
        *(["a shift by one more"] if fmt.has_asymmetry_code else []),
        f"{fmt.scale.name} scales",
    ]
    return ", ".join(words + (["float32 a tensor"] if _has_tensor_scale(record, fmt) else []))


def _has_tensor_scale(record: Record, fmt: BlockFormat) -> bool:
    return fmt.tensor_scaled or record["tensor_scale"] is not None


def embedding_error(record: Record, products: str) -> str:
    """1 - cosine in per cent, and its standard error."""
    end = record["end_to_end"][products]
    return f"{number(100 * (1 - end['cosine_mean']), 2)} ± {number(_times(end['cosine_error'], 100), 2)}"


def difference(record: Record) -> str:
    """By how much a record's error, with attention, is less than NVFP4's, and the standard error; "-" for NVFP4."""
    beside = record["end_to_end"][BOTH]["to_nvfp4"]
    if not beside["error"]:
        return "-"
    return f"{100 * beside['difference']:+.2f} ± {100 * beside['error']:.2f}"


def _times(value: float | None, factor: float) -> float | None:
    return None if value is None else value * factor


def _at(record: Record, path: Sequence[str]) -> float:
    found: Any = record
    for key in path:
        found = found[key]
    return float(found)


def _find(study: Study, case: Case) -> Record | None:
    wanted = case.to_dict().items()
    return next((record for record in study["cases"] if wanted <= record.items()), None)


def _cases_of(study: Study) -> list[Case]:
    """The ways of the study's records with one format for both operands."""
    return [_case_of(record) for record in study["cases"] if record["activation"] == record["weight"]]


def _case_of(record: Record) -> Case:
    names = ("activation", "weight", "block_size", "rounding", "weight_encode", "rule", "tensor_scale", "rotation")
    return Case(**{name: record[name] for name in names}, accumulator=record["accumulate"])


def _headlines_place(case: Case) -> int:
    """Where a way with plain weights stands in the headline; those that are not there come last."""
    order = headline_cases()
    plain = replace(case, weight_encode="direct")
    return order.index(plain) if plain in order else len(order)


def _beside(study: Study, changed: Sequence[Case], attribute: str, plain: Any, heading: str) -> str:
    """A table of ways and of what they are without one of their attributes."""
    headings = ["format", "SQNR of outputs, dB", heading, f"{_ERROR}, attention too", heading]
    rows = []
    for case in changed:
        pair = of_cases(study, [replace(case, **{attribute: plain}), case])
        if len(pair) == 2:
            outputs = [number(record["linear_layers_mean"]["output"], 2) for record in pair]
            rows.append([shown_label(pair[0]), *outputs, *(embedding_error(record, BOTH) for record in pair)])
    return markdown_table(headings, rows)


def mean_of_layers(record: Record, kinds: Sequence[str], operand: str) -> float | None:
    """The mean SQNR of an operand or of the outputs over all layers of these kinds; None where one is not finite."""
    values = [of_layer[operand] for kind in kinds for of_layer in record["kinds"][kind]]
    return None if None in values else float(np.mean(values))
