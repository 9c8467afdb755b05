"""Tiles of a few results, so that a small product has several."""

import pytest

from amxfp4.golden import term_tiles


def in_tiles(monkeypatch: pytest.MonkeyPatch, *, rows: int, columns: int, blocks: int) -> None:
    """Form terms in tiles of so many rows, columns and, in float64, blocks; in float32 of twice as many blocks."""
    monkeypatch.setattr(term_tiles, "_TILE_ROWS", rows)
    monkeypatch.setattr(term_tiles, "_TILE_COLUMNS", columns)
    monkeypatch.setattr(term_tiles, "_TILE_BYTES", rows * columns * blocks * 8)
