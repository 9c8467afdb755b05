"""The whole measurement: the model over the project's sentences, quantised in every way.

`run_study` returns these figures. `amxfp4 accuracy` writes them as `accuracy.json`, with null for numbers that are not
finite:

    quick               whether only some sentences, and only formats as they are used and in blocks of 32, were taken
    local_share         products by themselves are measured on one token, or sentence, in so many
    model, sentences, tokens, published_difference, float32_paraphrases_found, sides, underflow,
    sentences_with_reference_nan, example_blocks, ...: what is in `facts.facts`
    cases               a list, for every way of `choice.study_cases` one of
        label               the format's name, both where operands differ, and what departs from the default
        activation, weight  block format names
        block_size, rounding, weight_encode ("direct", "least-error"), accumulate, rule, tensor_scale, rotation: as in
                            `Case` (null: the formats' default; for rotation none)
        activation_bits, weight_bits: memory an element takes
        linear_layers_mean  {activation, weight, output}: SQNR in dB, the mean over all linear layers
        kinds               by layer kind, `weights.LINEAR_KINDS` and `products.ATTENTION_KINDS`, a list over layers of
                            {activation, weight, output}, SQNR in dB
        end_to_end          for "linear" (linear layers quantised) and "linear and attention" (attention's products
                            too): cosine_mean and cosine_min to the float32 embeddings, cosine_error, the standard
                            error of that mean, to_nvfp4, {difference, error}: the mean's difference to that of NVFP4
                            and the standard error of that, sentence by sentence; rank_correlation of pairwise
                            similarities, paraphrases_found, and hidden_sqnr, dB, a list over layers
    int4                the same for each of `int4.BASELINES`, with group and rotation as in `Int4`
    variants            a list of what `variants.measure_variant` gives, empty where quick
"""

import os
from collections.abc import Callable, Iterator
from concurrent.futures import Future, as_completed
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import numpy as np

from amxfp4.accuracy.baseline import LOCAL_SHARE, Baseline
from amxfp4.accuracy.case import BLOCK_SIZES, Case
from amxfp4.accuracy.choice import as_used, study_cases
from amxfp4.accuracy.facts import facts
from amxfp4.accuracy.forward import encode
from amxfp4.accuracy.int4 import BASELINES, Int4
from amxfp4.accuracy.measure import Measure, measure_attention, measure_linear
from amxfp4.accuracy.metrics import clustered_error, pairwise_cosines, paraphrases_found, row_cosines, spearman
from amxfp4.accuracy.products import ATTENTION_KINDS, QuantizedProducts
from amxfp4.accuracy.variants import VARIANTS, measure_variant
from amxfp4.accuracy.way import Operand
from amxfp4.accuracy.weights import LINEAR_KINDS, load_encoder
from amxfp4.golden import sqnr
from amxfp4.workers import Workers

QUICK_BLOCK_SIZES = (32,)

REFERENCE = "NVFP4"
"""The format that every way is compared with, sentence by sentence: what is deployed today."""

_BLAS_THREADS = ("OPENBLAS_NUM_THREADS", "OMP_NUM_THREADS", "MKL_NUM_THREADS")


def run_study(folder: Path, *, quick: bool, jobs: int, progress: Callable[[int, int], None]) -> dict[str, Any]:
    """Measures everything that the report says.

    Args:
        folder: the model's files.
        quick: whether only a fifth of the sentences, and only formats as they are used and in blocks of 32, are taken.
        jobs: how many processes. Each has one BLAS thread: the products of short sentences are too small for more.
        progress: called with (parts done, all parts).

    Returns:
        The figures that are described above, as JSON's types, except for numbers that are not finite.

    Raises:
        UsageError: a model whose arithmetic is not the one `forward` has.
    """
    load_encoder(folder)  # reports what is wrong with a model; a worker would only die of it
    block_sizes = QUICK_BLOCK_SIZES if quick else BLOCK_SIZES
    ways: list[Case | Int4] = [*study_cases(quick=quick), *BASELINES]
    variants = [] if quick else list(VARIANTS)
    with _workers(folder, quick, jobs) as pool:
        of_facts = pool.submit(_facts, block_sizes)
        of_ways = [pool.submit(_measure_case, way) for way in ways]
        of_variants = [pool.submit(_measure_variant, name) for name in variants]
        futures: list[Future[dict[str, Any]]] = [of_facts, *of_ways, *of_variants]
        for done, future in enumerate(as_completed(futures), 1):
            future.result()
            progress(done, len(futures))
        found = [future.result() for future in of_ways]
        reference = found[ways.index(as_used(REFERENCE))]
        cases = [_compared(record, reference) for record in found]
        return {
            "quick": quick,
            "local_share": LOCAL_SHARE,
            **of_facts.result(),
            "cases": cases[: -len(BASELINES)],
            "int4": cases[-len(BASELINES) :],
            "variants": [future.result() for future in of_variants],
        }


def _compared(record: dict[str, Any], reference: dict[str, Any]) -> dict[str, Any]:
    """The record with each list of sentences' cosines replaced by what it says beside that of another record."""

    def beside(products: str) -> dict[str, Any]:
        end, other = (dict(one["end_to_end"][products]) for one in (record, reference))
        differences = np.array(end.pop("cosines")) - np.array(other["cosines"])
        error = clustered_error(differences, end.pop("groups"))
        return {**end, "to_nvfp4": {"difference": float(differences.mean()), "error": error}}

    return {**record, "end_to_end": {products: beside(products) for products in record["end_to_end"]}}


@contextmanager
def _workers(folder: Path, quick: bool, jobs: int) -> Iterator[Workers]:
    """Processes that have the baseline. They are new ones, as NumPy reads the number of threads at its import."""
    before = {name: os.environ.get(name) for name in _BLAS_THREADS}
    os.environ.update(dict.fromkeys(_BLAS_THREADS, "1"))
    try:
        with Workers(jobs, _start_worker, (folder, quick)) as pool:
            yield pool
    finally:
        for name, value in before.items():
            if value is None:
                os.environ.pop(name, None)
            else:
                os.environ[name] = value


_in_worker: list[Baseline] = []
"""The baseline of this process, if it is a worker."""


def _start_worker(folder: Path, quick: bool) -> None:
    _in_worker.append(Baseline.run(folder, quick=quick))


def _facts(block_sizes: tuple[int, ...]) -> dict[str, Any]:
    return facts(_in_worker[0], block_sizes)


def _measure_case(case: Case | Int4) -> dict[str, Any]:
    return measure_case(_in_worker[0], case)


def _measure_variant(name: str) -> dict[str, Any]:
    return measure_variant(_in_worker[0], name)


def measure_case(baseline: Baseline, case: Case | Int4) -> dict[str, Any]:
    """Measures each product by itself, on the float32 model's operands, then the quantised model from end to end.

    The figures are those of a case of `run_study`, where each part of `end_to_end` has `cosines` and `groups`, lists
    over sentences, in place of `to_nvfp4`.
    """
    encoder = baseline.encoder
    weights = {
        (layer, kind): case.quantize_weight(encoder.weight(layer, kind))
        for layer in range(encoder.layers)
        for kind in LINEAR_KINDS
    }
    local = {kind: _local(baseline, case, kind, weights) for kind in (*LINEAR_KINDS, *ATTENTION_KINDS)}
    linear = [of_layer for kind in LINEAR_KINDS for of_layer in local[kind]]
    return {
        **case.to_dict(),
        "linear_layers_mean": {
            name: float(np.mean([getattr(of_layer, name) for of_layer in linear]))
            for name in ("activation", "weight", "output")
        },
        "kinds": {kind: [of_layer.to_dict() for of_layer in by_layer] for kind, by_layer in local.items()},
        "end_to_end": {
            "linear": _end_to_end(baseline, QuantizedProducts(case, weights, attention=False)),
            "linear and attention": _end_to_end(baseline, QuantizedProducts(case, weights, attention=True)),
        },
    }


def _local(baseline: Baseline, case: Case | Int4, kind: str, weights: dict[tuple[int, str], Operand]) -> list[Measure]:
    """The measures of one kind of product, layer by layer."""
    layers = range(baseline.encoder.layers)
    if kind in ATTENTION_KINDS:
        return [measure_attention(case, baseline.attention_sample(layer, kind)) for layer in layers]
    return [
        measure_linear(
            case, baseline.linear_sample(layer, kind), baseline.encoder.weight(layer, kind), weights[layer, kind]
        )
        for layer in layers
    ]


def _end_to_end(baseline: Baseline, products: QuantizedProducts) -> dict[str, Any]:
    states, embeddings = encode(baseline.encoder, baseline.tokens, products)
    cosines = row_cosines(baseline.embeddings, embeddings)
    return {
        "cosine_mean": float(cosines.mean()),
        "cosine_min": float(cosines.min()),
        "cosine_error": clustered_error(cosines, baseline.groups),
        "cosines": cosines.tolist(),
        "groups": baseline.groups,
        "rank_correlation": spearman(pairwise_cosines(baseline.embeddings), pairwise_cosines(embeddings)),
        "paraphrases_found": paraphrases_found(embeddings, baseline.groups),
        "hidden_sqnr": [sqnr(exact, quantised) for exact, quantised in zip(baseline.states, states, strict=True)],
    }
