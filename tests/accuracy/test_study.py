"""The whole study of a small encoder."""

import os
import shutil
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from amxfp4.accuracy.baseline import Baseline
from amxfp4.accuracy.case import Case
from amxfp4.accuracy.choice import study_cases
from amxfp4.accuracy.forward import encode
from amxfp4.accuracy.int4 import BASELINES, Int4
from amxfp4.accuracy.measure import measure_linear
from amxfp4.accuracy.metrics import clustered_error, row_cosines
from amxfp4.accuracy.products import ATTENTION_KINDS
from amxfp4.accuracy.study import measure_case, run_study
from amxfp4.accuracy.weights import LINEAR_KINDS
from amxfp4.errors import RunError, UsageError
from amxfp4.golden import matmul, quantize


class Quantised:
    """Products of quantised operands, the plain way."""

    def __init__(self, attention: bool) -> None:
        self.quantised_attention = attention

    def linear(self, layer: int, kind: str, x: np.ndarray, weight: np.ndarray) -> np.ndarray:
        return matmul(quantize(x, "AMXFP4-X2"), quantize(weight, "AMXFP4-X2"))

    def attention(self, layer: int, kind: str, pairs: Any) -> list[np.ndarray]:
        if not self.quantised_attention:
            return [a @ b.swapaxes(-1, -2) for a, b in pairs]
        return [np.stack([self.linear(0, "", m, n) for m, n in zip(a, b, strict=True)]) for a, b in pairs]


def test_a_case(baseline: Baseline) -> None:
    case = Case("AMXFP4-X2", "AMXFP4-X2", 32, "nearest-away")
    found = measure_case(baseline, case)
    assert {name: found[name] for name in case.to_dict()} == case.to_dict()
    assert list(found["kinds"]) == [*LINEAR_KINDS, *ATTENTION_KINDS]
    encoder = baseline.encoder
    local = [
        measure_linear(case, baseline.linear_sample(layer, kind), encoder.weight(layer, kind)).to_dict()
        for kind in LINEAR_KINDS
        for layer in range(encoder.layers)
    ]
    assert [of_layer for kind in LINEAR_KINDS for of_layer in found["kinds"][kind]] == local
    for name, mean in found["linear_layers_mean"].items():
        assert mean == pytest.approx(np.mean([of_layer[name] for of_layer in local]))
    for name, attention in ("linear", False), ("linear and attention", True):
        end = found["end_to_end"][name]
        _, embeddings = encode(encoder, baseline.tokens, Quantised(attention))
        cosines = row_cosines(baseline.embeddings, embeddings)
        assert end["cosine_mean"] == pytest.approx(cosines.mean(), abs=1e-12)
        assert end["cosine_min"] == pytest.approx(cosines.min(), abs=1e-12)
        assert 0.9 < end["cosine_mean"] < 1
        assert 0.8 < end["rank_correlation"] < 1
        assert len(end["hidden_sqnr"]) == encoder.layers
        assert end["hidden_sqnr"][0] > end["hidden_sqnr"][1]


def test_every_way_is_there_in_order(result: dict[str, Any]) -> None:
    for name, ways in ("cases", study_cases(quick=True)), ("int4", BASELINES):
        expected = [way.to_dict() for way in ways]
        assert [{key: case[key] for key in way} for case, way in zip(result[name], expected, strict=True)] == expected
        assert all(case["kinds"].keys() == {*LINEAR_KINDS, *ATTENTION_KINDS} for case in result[name])
    assert result["quick"]
    assert 30 < result["sentences"] < 60


def test_every_way_is_compared_with_nvfp4(result: dict[str, Any]) -> None:
    reference = next(case for case in result["cases"] if case["label"] == "NVFP4")
    for products in "linear", "linear and attention":
        assert reference["end_to_end"][products]["to_nvfp4"] == {"difference": 0, "error": 0}
        for case in (*result["cases"], *result["int4"]):
            end, other = (one["end_to_end"][products] for one in (case, reference))
            difference = end["cosine_mean"] - other["cosine_mean"]
            assert end["to_nvfp4"]["difference"] == pytest.approx(difference, abs=1e-12)
            # The difference of two means errs by no more than both together.
            assert end["to_nvfp4"]["error"] <= end["cosine_error"] + other["cosine_error"]
            assert not {"cosines", "groups"} & end.keys()


def test_standard_errors_are_over_groups_of_sentences(baseline: Baseline) -> None:
    end = measure_case(baseline, Case("MXFP4", "MXFP4", 32, "nearest-away"))["end_to_end"]["linear"]
    assert end["cosine_mean"] == pytest.approx(np.mean(end["cosines"]))
    assert list(end["groups"]) == [index // 2 for index in range(20)]
    assert end["cosine_error"] == clustered_error(end["cosines"], end["groups"]) > 0


def test_int4(baseline: Baseline) -> None:
    found = {way.label: measure_case(baseline, way) for way in (Int4(), Int4(16), Int4(rotation=8))}
    outputs = [case["linear_layers_mean"]["output"] for case in found.values()]
    assert 12 < outputs[0] < outputs[1] < 30
    assert outputs[2] != outputs[0]
    assert all(case["end_to_end"]["linear and attention"]["cosine_mean"] > 0.9 for case in found.values())


def test_finer_scales_lose_less(result: dict[str, Any]) -> None:
    """A property of the data, which a study with its labels mixed up would not have."""
    outputs = {
        case["label"]: case["linear_layers_mean"]["output"]
        for case in result["cases"]
        if case["rounding"] == "nearest-away" and case["block_size"] == 32
    }
    assert outputs["MXFP4"] < outputs["MXFP4-UE5M3"] < outputs["AMXFP4-E4M3"]


def test_another_model_is_refused_before_anything_starts(folder: Path, tmp_path: Path) -> None:
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "config.json").write_text('{"model_type": "gpt2"}')
    with pytest.raises(UsageError, match="the model's model_type is 'gpt2'"):
        run_study(tmp_path, quick=True, jobs=1, progress=lambda done, total: None)


def test_a_failure_in_a_worker_ends_the_study(folder: Path, tmp_path: Path) -> None:
    threads = os.environ.get("OPENBLAS_NUM_THREADS")
    shutil.copytree(folder, tmp_path, dirs_exist_ok=True)
    (tmp_path / "tokenizer.json").unlink()
    with pytest.raises(RunError, match="a process died"):
        run_study(tmp_path, quick=True, jobs=1, progress=lambda done, total: None)
    assert os.environ.get("OPENBLAS_NUM_THREADS") == threads
