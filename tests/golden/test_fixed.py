"""Limbs against Python's integers."""

from fractions import Fraction

import numpy as np
from helpers.fraction_oracle import bits_of, round_to_float32
from hypothesis import given
from hypothesis import strategies as st

from amxfp4.golden.fixed import round_limbs

# Few bits, a long way apart, with neighbours of ties: where a rounding that forgets something goes wrong.
SPARSE = st.builds(
    lambda sign, high, gap, low: sign * ((high << gap) + low),
    st.sampled_from([-1, 1]),
    st.integers(0, 1 << 26),
    st.integers(0, 60),
    st.integers(-2, 2),
)


@given(st.lists(st.integers(-(1 << 60), 1 << 60), min_size=1, max_size=5), st.integers(1, 22))
def test_any_limbs(limbs: list[int], limb_bits: int) -> None:
    total = sum(limb << (index * limb_bits) for index, limb in enumerate(limbs))
    found = round_limbs([np.array([limb]) for limb in limbs], limb_bits, -34)
    assert found.view(np.uint32)[0] == bits_of(round_to_float32(Fraction(total) / 2**34))


@given(SPARSE, st.integers(10, 22))
def test_digits_of_values_near_ties(value: int, limb_bits: int) -> None:
    limbs = []
    rest = value
    for _ in range(9):
        limbs.append(np.array([rest & ((1 << limb_bits) - 1)]))
        rest >>= limb_bits
    found = round_limbs([*limbs, np.array([rest])], limb_bits, 0)
    assert found.view(np.uint32)[0] == bits_of(round_to_float32(Fraction(value)))


def test_the_edge_between_appending_and_leaving_out() -> None:
    """A negative power of two that loses its top bit when the sticky bit is set."""
    for high in (1 << 40, -(1 << 40), (1 << 40) - 1, 1 - (1 << 40)):
        limbs = [np.array([5]), np.array([0]), np.array([7]), np.array([high])]
        total = 5 + (7 << 32) + (high << 48)
        found = round_limbs(limbs, 16, 0)
        assert found.view(np.uint32)[0] == bits_of(round_to_float32(Fraction(total)))
