"""How lopsided blocks are, counted by hand."""

import numpy as np

from amxfp4.accuracy.lopsided import OCTAVES, sides_of, to_blocks


def test_blocks_are_padded_along_the_last_axis() -> None:
    x = np.arange(2 * 3 * 5, dtype=np.float16).reshape(2, 3, 5)
    blocks = to_blocks(x, 4)
    assert blocks.shape == (12, 4)
    assert blocks.dtype == np.float32
    np.testing.assert_array_equal(blocks[:4], [[0, 1, 2, 3], [4, 0, 0, 0], [5, 6, 7, 8], [9, 0, 0, 0]])


def test_a_summary() -> None:
    blocks = np.float32([[1, -1], [4, -1], [-2, 1], [3, 1], [0, 0], [1000, -1e-3], [1.5, -1]])
    found = sides_of(blocks)
    assert found.blocks == 6  # the zeros do not count
    assert found.one_sided == 1 / 6
    assert found.twice == 4 / 6  # 4, 2, one-sided and 10^6; not 1 and 1.5
    assert found.median_ratio == 2
    shares = dict(zip(OCTAVES[:-1].tolist(), found.octaves, strict=True))
    assert {left: share * 6 for left, share in shares.items() if share} == {-1: 1, 0: 1, 0.5: 1, 2: 1, 7.5: 1}


def test_nothing_but_zeros_and_nothing_with_two_sides() -> None:
    assert sides_of(np.zeros((3, 4), np.float32)).to_dict() == {
        "blocks": 0,
        "one_sided": 0.0,
        "twice": 0.0,
        "median_ratio": None,
        "octaves": (0.0,) * (len(OCTAVES) - 1),
    }
    assert sides_of(np.ones((3, 4), np.float32)).median_ratio is None
