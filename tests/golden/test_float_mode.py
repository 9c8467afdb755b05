"""The processor's float mode changes no result: a function refuses to run in a mode in which it would."""

import os
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from helpers import float_mode, under_flushing_threads

from amxfp4 import golden
from amxfp4.accuracy.lopsided import sides_of
from amxfp4.accuracy.reference import reference_values
from amxfp4.errors import UsageError
from amxfp4.golden import Blocks, block_format
from amxfp4.hw import QuantizerConfig
from amxfp4.sim import synthetic_layer
from amxfp4.sim.stimuli.floats import bits_of

MXFP4 = block_format("MXFP4", 8)
E8M0 = MXFP4.scale
LEAST = Blocks.from_codes(codes=np.arange(16, dtype=np.uint8)[None], scales=np.zeros((1, 2, 1), np.uint8), fmt=MXFP4)
X = np.uint32([[0, 1, 2, 3, 0x80000001, 0x00800000, 0x00400000, 0x00200000]]).view(np.float32)

REFUSING: dict[str, Callable[[], Any]] = {
    "Blocks": lambda: LEAST.dequantize(),
    "decode_scales": lambda: golden.decode_scales(np.uint8([0, 1]), E8M0),
    "dot": lambda: golden.dot(LEAST, LEAST),
    "dot_detailed": lambda: golden.dot_detailed(LEAST, LEAST).bits,
    "encode_elements": lambda: golden.encode_elements(X),
    "encode_scales": lambda: golden.encode_scales(np.abs(X), E8M0),
    "matmul": lambda: golden.matmul(LEAST, LEAST),
    "quantize": lambda: golden.quantize(X, "MXFP4", encode="least-error").codes,
    "rotated": lambda: golden.rotated(X, 8),
    "sqnr": lambda: np.array(golden.sqnr(X, X / 2)),
    "tensor_scale_of": lambda: np.array(golden.tensor_scale_of(X, "NVFP4")),
    "accuracy.lopsided.sides_of": lambda: np.array(sides_of(X).one_sided),
    "accuracy.reference.reference_values": lambda: reference_values(X, "nearest-away"),
    "sim.stimuli.floats.bits_of": lambda: bits_of(QuantizerConfig(input="float32"), X.astype(np.float64)),
    "sim.synthetic_layer": lambda: synthetic_layer(1).weights,
}

UNCHANGED: dict[str, Callable[[], Any]] = {
    "block_format": lambda: block_format("AMXFP4").scale.values,
    "chain_schedule": lambda: golden.chain_schedule([True], beats_per_block=1, drain=2, latency=3).given,
    "decode_elements": lambda: golden.decode_elements(np.arange(16, dtype=np.uint8)),
    "default_accumulator_bits": lambda: np.array(golden.default_accumulator_bits("AMXFP4", "AMXFP4-X2")),
    "least_exponent": lambda: np.array(golden.least_exponent("AMXFP4", "AMXFP4-X2")),
    "quantizer_schedule": lambda: golden.quantizer_schedule(2, beats_per_block=2, drain=2).given,
    "rules_of": lambda: np.array(golden.rules_of("MXFP4")),
    "Window": lambda: np.array(golden.Window().bits),
    "schedule": lambda: golden.schedule([True], latency=2).given,
}
"""What adds and multiplies integers only, or looks values up."""

MODES = pytest.mark.parametrize("mode", float_mode.MODES)
RESULTS = ("BlockFormat", "ChainSchedule", "DotResult", "ScaleFormat", "Schedule")
"""Classes that hold facts or results and compute nothing in floats that a mode could change."""


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return float_mode.build(tmp_path_factory.mktemp("mode"))


def test_every_public_function_is_here() -> None:
    functions = {name for name in golden.__all__ if isinstance(getattr(golden, name), type | type(block_format))}
    assert functions - set(RESULTS) <= set(REFUSING) | set(UNCHANGED)


@MODES
def test_what_a_mode_would_change_is_refused_in_it(library: Path, mode: str) -> None:
    before = {name: run() for name, run in REFUSING.items()}
    refusals = {}
    for name, run in REFUSING.items():
        with float_mode.in_mode(library, mode):
            try:
                run()
            except UsageError as error:
                refusals[name] = str(error)
        np.testing.assert_array_equal(run(), before[name])
    assert list(refusals) == list(REFUSING)
    (sentence,) = set(refusals.values())
    assert ("set_flush_denormal" if "flush" in mode else "FE_TONEAREST") in sentence


@MODES
def test_what_is_not_refused_stays_the_same(library: Path, mode: str) -> None:
    for run in UNCHANGED.values():
        before = run()
        with float_mode.in_mode(library, mode):
            found = run()
        np.testing.assert_array_equal(found, before)


def test_threads_of_blas_that_flush_change_no_product(library: Path) -> None:
    source = Path(golden.__file__).parents[1]
    path = os.pathsep.join(map(str, (source.parent, Path(under_flushing_threads.__file__).parents[1])))
    program = [sys.executable, "-m", "helpers.under_flushing_threads", str(library)]
    done = subprocess.run(program, env=os.environ | {"PYTHONPATH": path}, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert done.stdout.split() == under_flushing_threads.products()
