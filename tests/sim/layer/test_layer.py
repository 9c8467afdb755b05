"""Layers from files, and drawn ones."""

from pathlib import Path

import numpy as np
import pytest

from amxfp4.errors import UsageError
from amxfp4.sim.layer.layer import Layer, layer_from_files, synthetic_layer


def test_a_limited_layer_is_its_first_part() -> None:
    rng = np.random.default_rng(1)
    layer = Layer("tiny", rng.normal(size=(5, 80)).astype(np.float32), rng.normal(size=(7, 80)).astype(np.float16))
    assert layer.first(35) is layer
    assert layer.first(1000) is layer
    assert layer.first(20).activations.shape == (2, 80)
    assert layer.first(20).weights.shape == (7, 80)
    assert layer.first(3).outputs == 3


def test_the_synthetic_layer_looks_like_a_real_one() -> None:
    layer = synthetic_layer(1)
    assert np.array_equal(layer.activations, synthetic_layer(1).activations)
    assert not np.array_equal(layer.activations, synthetic_layer(2).activations)
    assert -0.18 < layer.activations.min() < -0.1
    assert layer.activations.max() > 20
    assert np.median(np.abs(layer.activations)) < 0.5
    by_channel = np.abs(layer.activations).max(axis=0)
    assert (by_channel > 10 * np.median(by_channel)).mean() < 0.02


def test_files_are_read(tmp_path: Path) -> None:
    x = np.ones((2, 3, 32), np.float16)
    np.save(tmp_path / "x.npy", x)
    np.savez(tmp_path / "both.npz", x=x, w=np.ones((4, 32), np.float32))
    layer = layer_from_files(str(tmp_path / "x.npy"), f"{tmp_path / 'both.npz'}:w")
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
        layer_from_files(str(folder / activations), str(folder / weights))
    assert says in str(refused.value)
    assert "\n" not in str(refused.value)
