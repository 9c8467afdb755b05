"""Whatever is given to a public function in place of an argument, it works or is refused in one sentence."""

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest
from helpers.golden_calls import GOLDEN_CALLS, Call, X, fields_of
from helpers.hostile import meet, values

from amxfp4 import accuracy, golden, hw, synth
from amxfp4.errors import UsageError
from amxfp4.hw import ChainConfig, MacConfig, QuantizerConfig
from amxfp4.sim import Layer

CASE = accuracy.Case("AMXFP4", "MXFP4", 32, "nearest-away")
HEADS = np.ones((2, 3, 8), np.float32)


def measured(**arguments: Any) -> list[dict[str, Any]]:
    """`measure_own` as far as its first measurement."""
    return [next(accuracy.measure_own(**arguments))]


def of_pair(case: Any, pair: Any) -> Any:
    return accuracy.measure_attention(case, [pair])


def of_heads(case: Any, heads: Any) -> Any:
    return accuracy.measure_attention(case, [(HEADS, heads)])


CALLS: list[Call] = [
    *GOLDEN_CALLS,
    (MacConfig, fields_of(MacConfig())),
    (QuantizerConfig, fields_of(QuantizerConfig())),
    (ChainConfig, fields_of(ChainConfig())),
    (hw.unit_verilog, {"config": None}),
    (hw.MacUnit, {"config": QuantizerConfig()}),
    (hw.Quantizer, {"config": MacConfig()}),
    (hw.Chain, {"config": MacConfig()}),
    (accuracy.Case, fields_of(CASE)),
    (accuracy.uniform_cases, {"block_sizes": (32,)}),
    (accuracy.mixed_cases, {"block_size": 32, "rounding": "nearest-away"}),
    (accuracy.check_tensors, {"x": X, "weight": X}),
    (
        measured,
        {"x": X, "weight": None, "block_size": 32, "rounding": "nearest-away", "rule": None, "tensor_scale": None},
    ),
    (accuracy.measure_linear, {"case": CASE, "x": X, "weight": X, "weight_blocks": None}),
    (accuracy.measure_attention, {"case": CASE, "pairs": [(HEADS, HEADS)]}),
    (of_pair, {"case": CASE, "pair": (HEADS, HEADS)}),
    (of_heads, {"case": CASE, "heads": HEADS}),
]

ELSEWHERE = {"run_study", "ensure_model", "Accumulator", "Encode", "Rounding", "ScaleRule", "TensorScaleRule"}
"""What works on a folder, whose files have their own tests; and types."""

RESULTS = {"Measure", "Schedule", "ChainSchedule", "DotResult"}
"""Classes that functions give."""


SWEEPS = [
    pytest.param(call, arguments, name, id=f"{call.__qualname__}-{name}")
    for call, arguments in CALLS
    for name in arguments
]


def test_every_public_function_is_met() -> None:
    public = {name for room in (golden, hw, accuracy) for name in room.__all__ if callable(getattr(room, name))}
    named = {call.__qualname__ for call, _ in CALLS} | {"measure_own"}
    assert public - ELSEWHERE - RESULTS <= named


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("call, arguments, name", SWEEPS)
def test_one_argument_is_anything_at_all(call: Callable[..., Any], arguments: dict[str, Any], name: str) -> None:
    met = [meet(call, **arguments | {name: value}) for value in values()]
    assert any(found is None for found in met)  # no argument takes everything


@pytest.mark.parametrize(
    "call, arguments",
    (
        (synth.measure_area, {"config": MacConfig(), "timeout": 0}),
        (synth.measure_area, {"config": MacConfig(), "timeout": True}),
        (synth.measure_area, {"config": MacConfig(), "target_ps": float("nan")}),
        (synth.measure_area, {"config": MacConfig(), "target_ps": -1.0}),
        (synth.measure_area, {"config": "mac"}),
        (synth.measure_fpga, {"config": MacConfig(), "seed": 1.0}),
        (synth.measure_fpga, {"config": MacConfig(), "seed": -1}),
        (synth.measure_fpga, {"config": MacConfig(), "timeout": "9"}),
        (synth.measure_energy, {"layer": X, "config": MacConfig()}),
        (synth.measure_energy, {"layer": Layer("", X, X), "config": QuantizerConfig()}),
        (synth.measure_energy, {"layer": Layer("", X, X), "config": MacConfig(), "timeout": float("inf")}),
    ),
)
def test_numbers_of_a_measurement(call: Callable[..., Any], arguments: dict[str, Any]) -> None:
    with pytest.raises(UsageError, match=r"^[^\n]* is .* (is needed|and an integer)$"):
        call(**arguments)
