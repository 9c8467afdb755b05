"""What a careless or hostile caller might give in place of an argument, and how it is to be met."""

from collections.abc import Callable
from typing import Any

import ml_dtypes
import numpy as np

from amxfp4.errors import UsageError


class Awkward:
    """Is equal to nothing, has no length, no truth and no array."""

    def __eq__(self, other: object) -> bool:
        raise TypeError("no comparing")

    __hash__ = None  # type: ignore[assignment]

    def __bool__(self) -> bool:
        raise TypeError("no truth")

    def __array__(self, *args: object, **kwargs: object) -> np.ndarray:
        raise RuntimeError("no array")


def values() -> list[Any]:
    """Of every type that is at hand."""
    plain = np.arange(-12, 12, dtype=np.float32).reshape(2, 12) / 4
    codes = np.arange(16, dtype=np.uint8).reshape(2, 8)
    return [
        *(None, True, False, 0, 1, 2, 32, -1, 10**30, 0.0, 32.0, 2.5, -0.0, float("nan"), float("inf"), 1j),
        *("", "AMXFP4", "mxfp4-e5m2", "exact", "fp32", "nearest-even", "least-error", "0101", "no\nsuch", b"\x00\x01"),
        *((), [], {}, set(), [[1, 2], [3]], [1.0, 2.0], (32,), [True, False], ["a"], [None], range(3), object, len),
        *(np.bool_(True), np.int64(32), np.uint8(8), np.float32(2), np.float64("nan"), np.str_("AMXFP4")),
        *(np.datetime64("2020-01-01"), np.timedelta64(3, "s"), Awkward()),
        *(np.array(1.5, np.float32), np.array(3, np.uint8), np.zeros((0, 8), np.float32), np.zeros((0,), np.uint8)),
        *(plain, plain[:, ::-2], plain.T, plain.astype(">f4"), plain.astype(np.float16), np.asfortranarray(plain)),
        *(plain.astype(ml_dtypes.bfloat16), plain.astype(np.float64), plain.astype(np.longdouble), plain.astype(int)),
        *(plain.astype(complex), plain.astype(object), plain > 0, plain.astype(str), plain.astype("M8[s]")),
        *(plain.astype(ml_dtypes.float8_e5m2), np.zeros(3, [("a", "f4")]), np.zeros(3, "V2"), np.zeros(2, "m8[s]")),
        *(np.matrix(plain), np.ma.masked_array(plain, plain > 0), np.broadcast_to(np.float32(1), (64, 10, 8))),
        *(_read_only(plain), plain * np.float32("inf"), _nans(), codes, codes[::-1, ::2], codes * 16),
        *(np.matrix(codes), np.ma.masked_array(codes, codes > 3), _read_only(codes), codes.astype(bool)),
        *(np.array([plain, None], object), np.array(["nearest-away", "nearest-even"]), np.array([None])),
    ]


def _read_only(array: np.ndarray) -> np.ndarray:
    array = array.copy()
    array.flags.writeable = False
    return array


def _nans() -> np.ndarray:
    """NaNs with payloads, of both signs, signalling ones too."""
    return np.uint32([0x7F800001, 0xFF800001, 0x7FC12345, 0xFFFFFFFF]).view(np.float32)


def meet(call: Callable[..., Any], **arguments: Any) -> Any:
    """What `call` gives, or None where it refuses in one sentence. No argument is changed.

    Anything else that it raises is an error, which names the arguments.
    """
    before = {name: value.tobytes() for name, value in arguments.items() if _has_bytes(value)}
    try:
        found = call(**arguments)
    except UsageError as error:
        sentence = str(error)
        assert sentence and "\n" not in sentence and len(sentence) < 600 and not sentence.endswith("."), sentence
        found = None
    except Exception as error:
        described = {name: f"{type(value)} {value!r}"[:200] for name, value in arguments.items() if name != "self"}
        raise AssertionError(f"{call.__name__} of {described} raised {error!r}") from error
    for name, content in before.items():
        assert arguments[name].tobytes() == content, f"{call.__name__} changed {name}"
    return found


def _has_bytes(value: object) -> bool:
    return isinstance(value, np.ndarray) and not value.dtype.hasobject
