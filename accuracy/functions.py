"""The element-wise and row-wise functions of a transformer, in float32."""

from math import erf as exact_erf
from math import exp, pi, sqrt

import numpy as np
from numpy.typing import NDArray

Array = NDArray[np.float32]

_STEPS = 256
_LIMIT = 4
"""From this argument on erf is 1 in float32."""

_POINTS = [index / _STEPS for index in range(_LIMIT * _STEPS + 1)]
_ERF = np.array([exact_erf(point) for point in _POINTS], np.float32)
_SLOPE = np.array([2 / sqrt(pi) * exp(-point * point) for point in _POINTS], np.float32)

_CHUNK_ROWS = 64
"""Rows computed at a time: few enough for the temporaries to stay in a core's cache."""


def erf(x: Array) -> Array:
    """The error function, to within float32's rounding. NumPy does not have it.

    It is Taylor's series about the nearest point of a table, at most 1/512 away. The terms left out are below 1e-11.
    """
    magnitude = np.minimum(np.abs(x), np.float32(_LIMIT))
    index = np.rint(magnitude * np.float32(_STEPS)).astype(np.intp)
    near = index.astype(np.float32) / np.float32(_STEPS)
    away = magnitude - near
    curve = 1 - away * (near - away * (2 * near * near - 1) / 3)
    return np.copysign(_ERF[index] + _SLOPE[index] * away * curve, x)


def gelu(x: Array) -> Array:
    """x times the normal distribution function of x, by `erf`, for (rows, columns)."""
    result = np.empty_like(x)
    for start in range(0, len(x), _CHUNK_ROWS):
        part = x[start : start + _CHUNK_ROWS]
        result[start : start + _CHUNK_ROWS] = part * np.float32(0.5) * (1 + erf(part * np.float32(sqrt(0.5))))
    return result


def softmax(x: Array) -> Array:
    """Softmax along the last axis."""
    powers = np.exp(x - x.max(axis=-1, keepdims=True))
    return powers / powers.sum(axis=-1, keepdims=True)


def layer_norm(x: Array, gain: Array, bias: Array, epsilon: float) -> Array:
    """Normalises along the last axis to mean 0 and variance 1, then multiplies by `gain` and adds `bias`."""
    centred = x - x.mean(axis=-1, keepdims=True)
    variance = (centred * centred).mean(axis=-1, keepdims=True)
    return centred / np.sqrt(variance + np.float32(epsilon)) * gain + bias
