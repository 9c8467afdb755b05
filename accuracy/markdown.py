"""The study as a page of tables."""

from collections.abc import Iterable, Sequence
from typing import Any

from amxfp4.accuracy import study_tables
from amxfp4.accuracy.facts import EXAMPLE_SIZE, ROUNDING
from amxfp4.accuracy.markdown_table import markdown_table
from amxfp4.accuracy.published import TOLERANCE
from amxfp4.accuracy.summary import OF_MODEL, cells, number, select_cases, table_columns

_OPERANDS = (("activation", "Inputs"), ("weight", "Weights"), ("output", "Outputs"))


def study_page(study: dict[str, Any], figures: Iterable[str] = ()) -> str:
    """The page.

    Args:
        study: as the module `study` describes it.
        figures: names of picture files beside the page.
    """
    parts = [
        *_introduction(study),
        "## Formats as they are used",
        "The embedding's error is 1 - cosine to float32's, the mean over sentences and its standard error, paraphrases "
        "taken together. The last column is by how much it is less than NVFP4's, sentence by sentence.",
        study_tables.headline(study),
        "Formats under a Hadamard rotation:",
        study_tables.rotations(study),
        "Weights encoded offline by least error:",
        study_tables.offline(study),
        "A block's largest element becomes 6 or 4:",
        study_tables.four_over_six(study),
        "A scale per tensor:",
        study_tables.tensor_scales(study),
        f"## Formats in blocks of {EXAMPLE_SIZE}",
        f"Blocks of {EXAMPLE_SIZE}, {ROUNDING}, and NVFP4 with its own. {OF_MODEL}.",
        cases_table(cases_in_view(study)),
        *_all_cases(study),
        "## By kind of product",
        f"SQNR in dB, the mean over layers; blocks of {EXAMPLE_SIZE}, {ROUNDING}. In attention, inputs are the left "
        "operand and weights the right one.",
        *_kinds(study),
        "Energy that the products of a single input feature have, over the energy of the outputs, of the feature "
        "for which that is largest, by layer:",
        _largest_feature(study),
        *_variants(study),
        "## Lopsided blocks",
        f"Blocks of {EXAMPLE_SIZE} that are not all zero.",
        _sides(study),
        "## NaN in the published arithmetic",
        "Blocks of AMXFP4-E5M2 in which the published code's arithmetic gives NaN, because a side's scale rounds to "
        "zero, and what ours gives for the same blocks. Activations that are not named have none.",
        _underflow(study),
        *(f"![{name}]({name})" for name in figures),
    ]
    return "\n\n".join(parts) + "\n"


def cases_in_view(study: dict[str, Any]) -> list[dict[str, Any]]:
    """The ways that the command shows too: blocks of 32, and NVFP4, with its own blocks and ties."""
    deployed = [case for case in study["cases"] if case["label"] == "NVFP4"]
    return [*select_cases(study["cases"], EXAMPLE_SIZE, ROUNDING), *deployed]


def cases_table(cases: Sequence[dict[str, Any]]) -> str:
    """The table of cases with the columns that the command has on screen."""
    columns = table_columns(cases)
    group = ""
    headings = []
    for column in columns:
        first, second = column.heading.split("\n")
        group = first or group
        headings.append(f"{group} {second}")
    return markdown_table(["format", *headings], [[case["label"], *cells(columns, case)] for case in cases])


def _introduction(study: dict[str, Any]) -> list[str]:
    difference = study["published_difference"]
    checked = (
        "No sentence was among those whose published embeddings are known."
        if difference is None
        else f"On some of them the float32 embeddings were compared with those of the model's own library: no "
        f"component differs by more than {difference:.1e}, where {TOLERANCE:.0e} is allowed."
    )
    quick = " This was a quick run: it takes a fifth of the sentences." if study["quick"] else ""
    return [
        "# Accuracy of block formats on a real transformer",
        f"{study['model']}, {study['sentences']} sentences of the project's own, {study['tokens']} tokens.{quick} "
        f"{checked} Products on their own are measured on one in {study['local_share']} tokens, the rest on all. "
        f"In float32, {study['float32_paraphrases_found']:.1%} of the {study['sentences_with_a_paraphrase']} sentences "
        "that have a paraphrase have one as their nearest neighbour.",
    ]


def _all_cases(study: dict[str, Any]) -> list[str]:
    parts = []
    for size in sorted({case["block_size"] for case in study["cases"]}):
        for rounding in dict.fromkeys(case["rounding"] for case in study["cases"]):
            cases = select_cases(study["cases"], size, rounding)
            if (size, rounding) != (EXAMPLE_SIZE, ROUNDING) and cases:
                parts += [f"Blocks of {size}, {rounding}:", cases_table(cases)]
    return parts


def _kinds(study: dict[str, Any]) -> list[str]:
    cases = select_cases(study["cases"], EXAMPLE_SIZE, ROUNDING)
    kinds = list(cases[0]["kinds"])

    def row(case: dict[str, Any], operand: str) -> list[str]:
        means = [study_tables.mean_of_layers(case, [kind], operand) for kind in kinds]
        return [case["label"], *(number(mean, 2) for mean in means)]

    return [
        f"{heading}:\n\n{markdown_table(['format', *kinds], [row(case, operand) for case in cases])}"
        for operand, heading in _OPERANDS
    ]


def _largest_feature(study: dict[str, Any]) -> str:
    by_kind: dict[str, list[float]] = study["largest_feature"]
    layers = range(len(next(iter(by_kind.values()))))
    return markdown_table(
        ["linear layer", *(f"layer {layer}" for layer in layers)],
        [[kind, *(f"{share:.1%}" for share in shares)] for kind, shares in by_kind.items()],
    )


def _variants(study: dict[str, Any]) -> list[str]:
    if not study["variants"]:
        return []
    return [
        "## One sum, and variants of it",
        "Both operands encoded by least squared error, blocks of 32: mean SQNR in dB over linear layers, and what a "
        "dot product of two such operands needs.",
        study_tables.variants(study),
    ]


def _sides(study: dict[str, Any]) -> str:
    rows = [
        [
            name,
            str(sides["blocks"]),
            f"{sides['one_sided']:.1%}",
            f"{sides['twice']:.1%}",
            number(sides["median_ratio"], 2),
        ]
        for name, sides in study["sides"][str(EXAMPLE_SIZE)].items()
    ]
    return markdown_table(["tensor", "blocks", "one sign only", "sides 2 or more apart", "median ratio of sides"], rows)


def _underflow(study: dict[str, Any]) -> str:
    sentences = "; ".join(
        f"blocks of {size}: {counts['linear']} of {study['sentences']} in linear layers, "
        f"{counts['linear and attention']} with attention"
        for size, counts in study["sentences_with_reference_nan"].items()
    )
    table = study_tables.underflow(study) or "There is none."
    return f"{table}\n\nSentences whose embedding a NaN reaches: {sentences}."
