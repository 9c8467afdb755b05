"""`amxfp4 layer` as a user meets it."""

from pathlib import Path

import numpy as np
import pytest
from helpers.command_line import call, check_refused

from amxfp4.sim.layer import job


@pytest.fixture
def files(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """Options that name a small layer."""
    rng = np.random.default_rng(1)
    np.savez(
        tmp_path / "layer.npz",
        x=rng.normal(size=(6, 96)).astype(np.float16),
        w=rng.normal(size=(10, 96)).astype(np.float32),
    )
    return ["--activations", f"{tmp_path / 'layer.npz'}:x", "--weights", f"{tmp_path / 'layer.npz'}:w"]


def test_a_users_layer(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert call("layer", *files) == 0
    shown = capsys.readouterr().out
    assert "6 tokens x 96 inputs x 10 outputs = 60 outputs" in shown
    rows = [line.split() for line in shown.splitlines() if " exact " in line or " fp32 " in line]
    rows = [row for row in rows if "60" in row]
    assert [row[:4] for row in rows] == [["AMXFP4-E5M2", "exact", "60", "0"], ["MXFP4", "fp32", "60", "0"]]
    assert "…" not in shown


def test_quantised_in_hardware(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert call("layer", *files, "--format", "MXFP4", "--lanes", "4", "--quantize-in-hardware") == 0
    shown = capsys.readouterr().out
    assert "activations reach the netlist as float32, and its quantiser makes blocks of them" in shown
    (row,) = (line.split() for line in shown.splitlines() if " fp32 " in line and " 60 " in line)
    assert row[:4] == ["MXFP4", "fp32", "60", "0"]


def test_what_is_not_finite_is_said(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    x = np.ones((6, 96), np.float32)
    x[1, 2], x[1, 3] = np.nan, np.inf
    np.savez(tmp_path / "layer.npz", x=x, w=np.ones((10, 96), np.float32))
    words = ("--activations", f"{tmp_path / 'layer.npz'}:x", "--weights", f"{tmp_path / 'layer.npz'}:w")
    assert call("layer", *words, "--format", "MXFP4") == 0
    shown, errors = capsys.readouterr()
    assert "2 of 576 activations are NaN or infinite: what they reach is NaN" in shown
    assert "MXFP4: 10 of 60 outputs are NaN or infinite, here or in float32; SQNR is of the rest" in shown
    assert "nan" not in shown
    assert errors == ""


def test_a_limit_is_said(files: list[str], capsys: pytest.CaptureFixture[str]) -> None:
    assert call("layer", *files, "--outputs", "25", "--format", "MXFP4") == 0
    shown = capsys.readouterr().out
    assert "limited to 20 of the layer's 60 outputs: the first 2 of 6 tokens, 10 of 10 outputs each" in shown


def test_a_mismatch_is_shown_and_is_status_1(
    files: list[str], capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    right = job.expected_payloads

    def wrong(*args: object) -> np.ndarray:
        payloads = right(*args)  # type: ignore[arg-type]
        payloads[7, 0] ^= 1
        return payloads

    monkeypatch.setattr(job, "expected_payloads", wrong)
    assert call("layer", *files, "--format", "MXFP4") == 1
    assert "MXFP4, output 7: expected 0x" in capsys.readouterr().out


def test_a_real_layer(shared: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    layer = f"{shared / 'data' / 'minilm_layer0.npz'}:output.dense"
    assert call("layer", "--activations", f"{layer}.x", "--weights", f"{layer}.w", "--outputs", "3840") == 0
    assert "3,840" in capsys.readouterr().out


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["--activations", "missing.npy", "--weights", "missing.npy"], "there is no file 'missing.npy'"),
        (["--activations", "x.npy"], "--activations was given without --weights"),
        (["--format", "FP4"], "unknown block format 'FP4'"),
        (["--activation", "FP4"], "unknown block format 'FP4'"),
        (["--format", "MXFP4", "--weight", "FP4"], "unknown block format 'FP4'"),
        (["--weight-format", "FP4"], "unknown block format 'FP4'"),
        (["--lanes", "64"], "lanes is 64; allowed are 1, 2, 4, 8, 16, 32"),
        (["--lanes", "16", "--accumulator", "fp32"], "at most 8 lanes are allowed"),
        (["--block-size", "33"], "33"),
        (["--accumulator", "double"], "accumulator is 'double'"),
        (["--format", "MXFP4", "--accumulator", "exact"], "take 'fp32'"),
        (["--rounding", "up"], "'up' is not one of"),
        (["--outputs", "0"], "--outputs"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    words: list[str],
    says: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capsys: pytest.CaptureFixture[str],
) -> None:
    monkeypatch.chdir(tmp_path)
    check_refused(call("layer", *words), *capsys.readouterr(), says)
    assert not list(tmp_path.iterdir())
