"""A layer's run through the compiled unit: every output is compared, and what is wrong is noticed."""

import warnings
from dataclasses import replace

import ml_dtypes
import numpy as np
import pytest

from amxfp4.golden import Rounding, quantize
from amxfp4.hw.mac.config import MacConfig
from amxfp4.sim.layer import comparison as comparing
from amxfp4.sim.layer import job as jobs
from amxfp4.sim.layer.layer import Layer
from amxfp4.sim.layer.run import chain_for, run_layer

CONFIG = MacConfig("MXFP4", "MXFP4", lanes=8)


def tiny(k: int = 80) -> Layer:
    rng = np.random.default_rng(1)
    return Layer("tiny", rng.normal(size=(5, k)).astype(np.float32), rng.normal(size=(7, k)).astype(np.float16))


SCALED = MacConfig("NVFP4", "AMXFP4-Z8", lanes=4)
"""One tensor has a scale, the other special values."""


def test_a_unit_knows_nothing_of_tensors_scales() -> None:
    a, w = (quantize(x, f) for x, f in zip((tiny().activations, tiny().weights), SCALED.formats, strict=True))
    assert a.tensor_scale != 1
    results = jobs.expected_payloads(SCALED, a, w)
    np.testing.assert_array_equal(results, jobs.expected_payloads(SCALED, replace(a, tensor_scale=1.0), w))


@pytest.mark.parametrize(
    "config",
    [CONFIG, MacConfig("AMXFP4-X2", "AMXFP4", lanes=4), pytest.param(SCALED, marks=pytest.mark.full)],
    ids=lambda c: c.name,
)
def test_a_layer_runs_without_a_mismatch(config: MacConfig) -> None:
    done: list[int] = []
    result = run_layer(tiny(), config, progress=done.append)
    assert result.comparison.good
    assert result.comparison.outputs == sum(done) == 35
    blocks = -(-80 // config.block_size)  # 80 inputs are padded to 96, or are five blocks of 16
    beats = 35 * blocks * config.beats_per_block
    assert result.comparison.cycles == beats + config.latency
    assert result.macs_per_cycle == pytest.approx(35 * 80 / result.comparison.cycles)
    assert result.utilisation == pytest.approx(result.macs_per_cycle / config.lanes)
    assert result.not_finite == 0
    assert result.sqnr is not None and 10 < result.sqnr < 25


def test_outputs_that_are_not_finite_are_counted_and_the_rest_compared() -> None:
    layer = tiny()
    layer.activations[1, 3] = np.nan
    layer.activations[4, 70] = -np.inf
    layer.weights[2, 0] = np.inf
    assert layer.not_finite == {"activations": 2, "weights": 1}
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        result = run_layer(layer, CONFIG)
    assert result.comparison.good
    assert result.not_finite == 2 * 7 + 5 - 2
    rest = Layer("tiny", np.delete(layer.activations, (1, 4), 0), np.delete(layer.weights, 2, 0))
    assert result.sqnr == pytest.approx(run_layer(rest, CONFIG).sqnr)
    layer.activations[:] = np.nan
    nothing = run_layer(layer, CONFIG)
    assert nothing.comparison.good
    assert (nothing.not_finite, nothing.sqnr) == (35, None)


@pytest.mark.parametrize(
    ("config", "dtype", "rounding"),
    [
        (MacConfig("MXFP4", "AMXFP4-X2", lanes=2), np.float32, "nearest-even"),
        (MacConfig("MXFP4", "MXFP4", lanes=2), ml_dtypes.bfloat16, "nearest-away"),
    ],
    ids=["float32", "bfloat16"],
)
def test_a_layer_of_floats_runs_without_a_mismatch(config: MacConfig, dtype: type, rounding: Rounding) -> None:
    layer = tiny()
    layer = Layer("tiny", layer.activations.astype(dtype), layer.weights)
    result = run_layer(layer, config, rounding=rounding, in_hardware=True)
    comparison = result.comparison
    assert comparison.good
    assert comparison.outputs == 35
    chain = chain_for(config, layer, rounding)
    assert chain.input == np.dtype(dtype).name
    assert comparison.cycles == 35 * 3 * config.beats_per_block + chain.latency
    plain = run_layer(layer, config, rounding=rounding).comparison
    assert np.array_equal(comparison.payloads, plain.payloads)
    assert comparison.cycles - plain.cycles == chain.quantizer.latency


def test_float16_is_widened() -> None:
    layer = tiny()
    halves = Layer("tiny", layer.activations.astype(np.float16), layer.weights)
    assert chain_for(CONFIG, halves, "nearest-away").input == "float32"
    blocks = quantize(halves.activations, CONFIG.activation_format)
    words = jobs._float_words(chain_for(CONFIG, halves, "nearest-away"), halves.activations, blocks)
    assert words.shape == (5, 12, 9)
    first = np.ascontiguousarray(words[0, 0, :8]).view(np.float32)
    assert np.array_equal(first, halves.activations[0, :8].astype(np.float32))
    assert not words[:, 10:, :8].any(), "80 inputs, then zeros"
    assert words[:, :, 8].tolist() == [[0] * 11 + [1]] * 5


def test_a_wrong_output_is_a_mismatch(monkeypatch: pytest.MonkeyPatch) -> None:
    right = jobs.expected_payloads

    def wrong(*args: object) -> np.ndarray:
        payloads = right(*args)  # type: ignore[arg-type]
        payloads[3, 0] ^= 1
        payloads[5, 1] ^= 1
        return payloads

    monkeypatch.setattr(jobs, "expected_payloads", wrong)
    comparison = run_layer(tiny(), CONFIG).comparison
    assert not comparison.good
    assert comparison.mismatches == 2
    assert [miss.index for miss in comparison.examples] == [3, 5]
    assert comparison.examples[0].expected ^ comparison.examples[0].found == 1


def test_a_result_in_another_cycle_is_a_mismatch(monkeypatch: pytest.MonkeyPatch) -> None:
    right = comparing.predicted_cycles
    monkeypatch.setattr(comparing, "predicted_cycles", lambda *args: right(*args) + 1)
    comparison = run_layer(tiny(), CONFIG).comparison
    assert comparison.mismatches == 35


def test_missing_and_extra_results_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = jobs.expected_payloads
    for change, mismatches, extra in (
        (lambda p: np.concatenate([p, p[:2]]), 2, 0),
        (lambda p: p[:-2], 0, 2),
    ):
        monkeypatch.setattr(jobs, "expected_payloads", lambda *args, change=change: change(right(*args)))
        a, w = (quantize(x, "MXFP4") for x in (tiny().activations, tiny().weights))
        comparison = comparing.run_job(jobs.mac_job(CONFIG, a, w))
        assert (comparison.mismatches, comparison.extra) == (mismatches, extra)
        assert not comparison.good
