"""Layers from files and drawn ones, and their run through the compiled unit."""

from pathlib import Path

import ml_dtypes
import numpy as np
import pytest

from amxfp4.errors import UsageError
from amxfp4.golden import Rounding
from amxfp4.hw.mac.config import MacConfig
from amxfp4.sim.layer import run as layer_run
from amxfp4.sim.layer.layer import Layer, from_files, synthetic
from amxfp4.sim.layer.run import run_layer

CONFIG = MacConfig("MXFP4", "MXFP4", lanes=8)


def tiny(k: int = 80) -> Layer:
    rng = np.random.default_rng(1)
    return Layer("tiny", rng.normal(size=(5, k)).astype(np.float32), rng.normal(size=(7, k)).astype(np.float16))


@pytest.mark.parametrize(
    "config", [CONFIG, MacConfig(lanes=8), MacConfig("AMXFP4-X2", "MXFP4-E5M2", lanes=8)], ids=lambda c: c.name
)
def test_a_layer_runs_without_a_mismatch(config: MacConfig) -> None:
    done: list[int] = []
    result = run_layer(tiny(), config, progress=done.append)
    assert result.comparison.good
    assert result.comparison.outputs == sum(done) == 35
    blocks = 3  # 80 inputs are padded to 96
    beats = 35 * blocks * config.beats_per_block
    assert result.comparison.cycles == beats + config.latency
    assert result.macs_per_cycle == pytest.approx(35 * 80 / result.comparison.cycles)
    assert result.utilisation == pytest.approx(result.macs_per_cycle / 8)
    assert 10 < result.sqnr < 25


@pytest.mark.parametrize(
    ("config", "dtype", "rounding"),
    [
        (MacConfig("AMXFP4-X2", "MXFP4-UE5M3", lanes=4), np.float32, "nearest-even"),
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
    chain = layer_run.chained(config, layer, rounding)
    assert chain.input == np.dtype(dtype).name
    assert comparison.cycles == 35 * 3 * config.beats_per_block + chain.latency
    plain = run_layer(layer, config, rounding=rounding).comparison
    assert np.array_equal(comparison.payloads, plain.payloads)
    assert comparison.cycles - plain.cycles == chain.quantizer.latency


def test_float16_is_widened() -> None:
    layer = tiny()
    halves = Layer("tiny", layer.activations.astype(np.float16), layer.weights)
    assert layer_run.chained(CONFIG, halves, "nearest-away").input == "float32"
    words = layer_run._float_words(layer_run.chained(CONFIG, halves, "nearest-away"), halves.activations, 3)
    assert words.shape == (5, 12, 9)
    first = np.ascontiguousarray(words[0, 0, :8]).view(np.float32)
    assert np.array_equal(first, halves.activations[0, :8].astype(np.float32))
    assert not words[:, 10:, :8].any(), "80 inputs, then zeros"
    assert words[:, :, 8].tolist() == [[0] * 11 + [1]] * 5


def test_a_wrong_output_is_a_mismatch(monkeypatch: pytest.MonkeyPatch) -> None:
    right = layer_run._expected_payloads

    def wrong(*args: object) -> np.ndarray:
        payloads = right(*args)  # type: ignore[arg-type]
        payloads[3, 0] ^= 1
        payloads[5, 1] ^= 1
        return payloads

    monkeypatch.setattr(layer_run, "_expected_payloads", wrong)
    comparison = run_layer(tiny(), CONFIG).comparison
    assert not comparison.good
    assert comparison.mismatches == 2
    assert [miss.index for miss in comparison.examples] == [3, 5]
    assert comparison.examples[0].expected ^ comparison.examples[0].found == 1


def test_a_result_in_another_cycle_is_a_mismatch(monkeypatch: pytest.MonkeyPatch) -> None:
    right = layer_run.predicted_cycles
    monkeypatch.setattr(layer_run, "predicted_cycles", lambda *args: right(*args) + 1)
    comparison = run_layer(tiny(), CONFIG).comparison
    assert comparison.mismatches == 35


def test_missing_and_extra_results_are_noticed(monkeypatch: pytest.MonkeyPatch) -> None:
    right = layer_run._expected_payloads
    for change, mismatches, extra in (
        (lambda p: np.concatenate([p, p[:2]]), 2, 0),
        (lambda p: p[:-2], 0, 2),
    ):
        monkeypatch.setattr(layer_run, "_expected_payloads", lambda *args, change=change: change(right(*args)))
        a, w = (layer_run.quantize(x, "MXFP4") for x in (tiny().activations, tiny().weights))
        comparison = layer_run.run(layer_run.mac_job(CONFIG, a, w))
        assert (comparison.mismatches, comparison.extra) == (mismatches, extra)
        assert not comparison.good


def test_a_limited_layer_is_its_first_part() -> None:
    layer = tiny()
    assert layer.first(35) is layer
    assert layer.first(1000) is layer
    assert layer.first(20).activations.shape == (2, 80)
    assert layer.first(20).weights.shape == (7, 80)
    assert layer.first(3).outputs == 3


def test_the_synthetic_layer_looks_like_a_real_one() -> None:
    layer = synthetic(1)
    assert np.array_equal(layer.activations, synthetic(1).activations)
    assert not np.array_equal(layer.activations, synthetic(2).activations)
    assert -0.18 < layer.activations.min() < -0.1
    assert layer.activations.max() > 20
    assert np.median(np.abs(layer.activations)) < 0.5
    by_channel = np.abs(layer.activations).max(axis=0)
    assert (by_channel > 10 * np.median(by_channel)).mean() < 0.02


def test_files_are_read(tmp_path: Path) -> None:
    x = np.ones((2, 3, 32), np.float16)
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "both.npz", x=x, w=np.ones((4, 32), np.float32))
    layer = from_files(str(tmp_path / "x.npy"), f"{tmp_path / 'both.npz'}:w")
    assert layer.activations.shape == (6, 32)
    assert layer.weights.shape == (4, 32)


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    np.save(tmp_path / "x.npy", np.ones((2, 32), np.float32))
    np.save(tmp_path / "double.npy", np.ones((2, 32)))
    np.save(tmp_path / "vector.npy", np.ones(32, np.float32))
    np.save(tmp_path / "three.npy", np.ones((2, 2, 32), np.float32))
    np.save(tmp_path / "empty.npy", np.ones((0, 32), np.float32))
    np.save(tmp_path / "wide.npy", np.ones((2, 64), np.float32))
    np.savez(tmp_path / "several.npz", a=np.ones((2, 32), np.float32), b=np.ones((2, 32), np.float32))
    (tmp_path / "text.npy").write_text("not an array")
    return tmp_path


@pytest.mark.parametrize(
    ("activations", "weights", "says"),
    [
        ("missing.npy", "x.npy", "there is no file"),
        ("several.npz:c", "x.npy", "has no tensor 'c'"),
        ("x.npy", "text.npy", "cannot read"),
        ("double.npy", "x.npy", "float64; float32, float16, bfloat16 are allowed"),
        ("vector.npy", "x.npy", "two axes or more"),
        ("empty.npy", "x.npy", "none empty"),
        ("x.npy", "three.npy", "two axes, (outputs, inputs), are needed"),
        ("x.npy", "wide.npy", "must be equal"),
    ],
)
def test_bad_files_are_refused(folder: Path, activations: str, weights: str, says: str) -> None:
    with pytest.raises(UsageError) as refused:
        from_files(str(folder / activations), str(folder / weights))
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
