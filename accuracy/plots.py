"""The study's figures, as SVG: the same bytes from the same figures."""

import re
from collections.abc import Callable
from io import BytesIO
from typing import Any

import matplotlib
import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from amxfp4.accuracy.baseline import ATTENTION_OPERANDS, LINEAR_INPUTS, WEIGHTS
from amxfp4.accuracy.facts import EXAMPLE_SIZE, ROUNDING
from amxfp4.accuracy.lopsided import OCTAVES
from amxfp4.golden import BLOCK_FORMAT_NAMES, block_format

_STYLE = {
    "svg.hashsalt": "amxfp4",  # fixes the names of a figure's parts, which are random otherwise
    "svg.fonttype": "none",  # text stays text: small files that can be searched
    "font.size": 9,
    "axes.titlesize": 9,
    "axes.grid": True,
    "grid.alpha": 0.3,
    "axes.spines.top": False,
    "axes.spines.right": False,
}

# Colours are safe for the colour-blind (Okabe and Ito). Symmetric formats are dashed.
_LOOK: dict[str, dict[str, Any]] = {
    "MXFP4": {"color": "#000000", "linestyle": "--", "marker": "s"},
    "MXFP4-E5M2": {"color": "#e69f00", "linestyle": "--", "marker": "s"},
    "MXFP4-E4M3": {"color": "#56b4e9", "linestyle": "--", "marker": "s"},
    "MXFP4-UE5M3": {"color": "#009e73", "linestyle": "--", "marker": "s"},
    "AMXFP4-E8M0": {"color": "#000000", "linestyle": "-", "marker": "o"},
    "AMXFP4-E5M2": {"color": "#e69f00", "linestyle": "-", "marker": "o"},
    "AMXFP4-E4M3": {"color": "#56b4e9", "linestyle": "-", "marker": "o"},
    "AMXFP4-X2": {"color": "#009e73", "linestyle": "-", "marker": "o"},
    "AMXFP4-Z8": {"color": "#d55e00", "linestyle": "-", "marker": "o"},
    "AMXFP4-Z": {"color": "#cc79a7", "linestyle": "-", "marker": "o"},
    "MXFP4, even": {"color": "#999999", "linestyle": "--", "marker": "s"},
    "NVFP4": {"color": "#0072b2", "linestyle": "--", "marker": "D"},
}

_EXAMPLE_FORMATS = ("MXFP4", "MXFP4-E4M3", "AMXFP4-E5M2", "AMXFP4-X2", "AMXFP4-Z8")


def figures(study: dict[str, Any]) -> dict[str, bytes]:
    """The bytes of every figure by its file's name. `study` is as the module of that name describes it."""
    drawings: dict[str, Callable[[dict[str, Any]], Figure]] = {
        "error_by_format.svg": error_by_format,
        "error_by_layer.svg": error_by_layer,
        "blocks.svg": blocks,
        "sides.svg": sides,
        "reference_nan.svg": reference_nan,
    }
    with matplotlib.rc_context(_STYLE):
        return {name: _svg(draw(study)) for name, draw in drawings.items()}


def _svg(figure: Figure) -> bytes:
    buffer = BytesIO()
    # Without this the metadata holds the time.
    figure.savefig(buffer, format="svg", metadata={"Date": None}, bbox_inches="tight")
    # A hundredth of a point cannot be seen, and the other digits are a third of the file.
    return re.sub(rb"(\d\.\d\d)\d+", rb"\1", buffer.getvalue())


def _uniform(study: dict[str, Any], block_size: int) -> list[dict[str, Any]]:
    """The cases with one format for both operands, cast directly. NVFP4 has ties of its own."""
    ties = {name: block_format(name).ties for name in BLOCK_FORMAT_NAMES}
    return [
        case
        for case in study["cases"]
        if case["label"] in _LOOK
        and case["block_size"] == block_size
        and case["rounding"] == ties.get(case["label"], ROUNDING)
    ]


def _legend(figure: Figure, axes: Axes, columns: int = 6) -> None:
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="upper center", bbox_to_anchor=(0.5, 0), ncols=columns, frameon=False)


def error_by_format(study: dict[str, Any]) -> Figure:
    """The error at linear layers' outputs and at the embedding, by block size."""
    figure = Figure(figsize=(9, 3.4), layout="constrained")
    axes = figure.subplots(1, 3)
    sizes = sorted({case["block_size"] for case in study["cases"]})
    values: list[tuple[str, Callable[[dict[str, Any]], float]]] = [
        ("SQNR of linear layers' outputs, dB", lambda case: case["linear_layers_mean"]["output"]),
        ("1 - cosine of embeddings, linear layers", lambda case: 1 - case["end_to_end"]["linear"]["cosine_mean"]),
        (
            "1 - cosine, linear layers and attention",
            lambda case: 1 - case["end_to_end"]["linear and attention"]["cosine_mean"],
        ),
    ]
    for axis, (title, value) in zip(axes, values, strict=True):
        for name, look in _LOOK.items():
            points = [(size, value(case)) for size in sizes for case in _uniform(study, size) if case["label"] == name]
            axis.plot(*(points and zip(*points, strict=True)), label=name, markersize=4, **look)
        axis.set_title(title)
        axis.set_xscale("log", base=2)
        axis.set_xticks(sizes, [str(size) for size in sizes], minor=False)
        axis.set_xlabel("elements a block")
    for axis in axes[1:]:
        axis.set_ylim(bottom=0)
    _legend(figure, axes[0])
    return figure


def error_by_layer(study: dict[str, Any]) -> Figure:
    """SQNR of outputs for each kind of product, layer by layer, with blocks of 32 and, of NVFP4, of 16."""
    cases = [*_uniform(study, EXAMPLE_SIZE), *(case for case in _uniform(study, 16) if case["label"] == "NVFP4")]
    kinds = list(cases[0]["kinds"])
    figure = Figure(figsize=(9, 4.8), layout="constrained")
    axes = figure.subplots(2, 4, sharex=True)
    for axis, kind in zip(axes.flat, kinds, strict=True):
        for case in cases:
            by_layer = [of_layer["output"] for of_layer in case["kinds"][kind]]
            axis.plot(range(len(by_layer)), by_layer, label=case["label"], **{**_LOOK[case["label"]], "marker": None})
        axis.set_title(kind)
        axis.set_xticks(range(len(by_layer)))
    for axis in axes[1]:
        axis.set_xlabel("layer")
    for axis in axes[:, 0]:
        axis.set_ylabel("SQNR of outputs, dB")
    _legend(figure, axes[0, 0])
    return figure


def blocks(study: dict[str, Any]) -> Figure:
    """Histograms of two blocks before and after: how much of its range each format uses."""
    examples = study["example_blocks"]
    figure = Figure(figsize=(9, 7.6), layout="constrained")
    axes = figure.subplots(1 + len(_EXAMPLE_FORMATS), len(examples), sharex="col", sharey="col", squeeze=False)
    for column, example in enumerate(examples):
        before = np.array(example["before"])
        edges = np.linspace(before.min(), before.max(), 49)
        contents = {"before": before, **{name: np.array(example["after"][name]) for name in _EXAMPLE_FORMATS}}
        for axis, (name, values) in zip(axes[:, column], contents.items(), strict=True):
            color = "#999999" if name == "before" else _LOOK[name]["color"]
            # A saturated element can lie outside of the range before.
            axis.hist(np.clip(values, edges[0], edges[-1]), edges, color=color, histtype="stepfilled")
            error = np.square(values - before).sum()
            noise = "" if name == "before" else f", SQNR {10 * np.log10(np.square(before).sum() / error):.1f} dB"
            axis.set_title(f"{name}{noise}: {len(np.unique(values))} different values", loc="left")
            axis.grid(False)
        axes[0, column].annotate(
            f"{example['tensor']}, layer {example['layer']}", (0, 1.4), xycoords="axes fraction", fontweight="bold"
        )
        axes[-1, column].set_xlabel("element")
    for axis in axes[:, 0]:
        axis.set_ylabel("elements")
    return figure


def sides(study: dict[str, Any]) -> Figure:
    """How lopsided the blocks of each tensor are."""
    by_tensor = study["sides"][str(EXAMPLE_SIZE)]
    figure = Figure(figsize=(9, 6.4), layout="constrained")
    left, right = figure.subplots(1, 2, width_ratios=[3, 2], sharey=True)
    names = list(by_tensor)
    shares = np.array([by_tensor[name]["octaves"] for name in names])
    image = left.imshow(
        np.sqrt(shares * 100), aspect="auto", cmap="Greys", extent=(OCTAVES[0], OCTAVES[-1], len(names) - 0.5, -0.5)
    )
    left.set_yticks(range(len(names)), names)
    left.set_xlabel("log2 (largest positive / largest negative), blocks with both")
    left.set_title(f"blocks of {EXAMPLE_SIZE}: share by ratio of sides")
    left.grid(False)
    bar = figure.colorbar(image, ax=left, location="bottom", label="% of blocks in half an octave", shrink=0.8)
    ticks = [value for value in (0, 1, 4, 9, 16, 25, 36, 49, 64, 81, 100) if value <= shares.max() * 100]
    bar.set_ticks([value**0.5 for value in ticks], labels=[str(value) for value in ticks])
    twice, one_sided = (np.array([by_tensor[name][key] for name in names]) * 100 for key in ("twice", "one_sided"))
    right.barh(range(len(names)), twice, color="#009e73", label="sides a factor of 2 or more apart")
    right.barh(range(len(names)), one_sided, color="#e69f00", label="of these: one sign only")
    right.set_xlim(0, 100)
    right.set_xlabel("% of blocks")
    right.legend(loc="upper center", bbox_to_anchor=(0.5, -0.1), frameon=False)
    assert set(names) == {*LINEAR_INPUTS, *ATTENTION_OPERANDS, *WEIGHTS}
    return figure


def reference_nan(study: dict[str, Any]) -> Figure:
    """The share of blocks in which the published arithmetic gives NaN, by layer and activation."""
    sizes = list(study["underflow"])
    figure = Figure(figsize=(9, 3.2), layout="constrained")
    axes = figure.subplots(1, len(sizes), sharey=True, squeeze=False)[0]
    for axis, size in zip(axes, sizes, strict=True):
        for index, (name, by_layer) in enumerate(study["underflow"][size].items()):
            share = [100 * of_layer["reference_nan_blocks"] / of_layer["blocks"] for of_layer in by_layer]
            line = "-" if name in LINEAR_INPUTS else ":"
            axis.plot(range(len(share)), share, line, marker="o", markersize=3, label=name, color=f"C{index}")
        axis.set_title(f"blocks of {size}")
        axis.set_yscale("symlog", linthresh=0.01)
        axis.set_ylim(bottom=0)
        axis.set_xlabel("layer")
        axis.set_xticks(range(len(by_layer)))
    axes[0].set_ylabel("% of blocks with NaN")
    _legend(figure, axes[0])
    return figure
