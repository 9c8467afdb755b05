"""The bit-exact golden model: what every unit must compute, and in which cycle."""

from amxfp4.golden.formats import BLOCK_FORMAT_NAMES, BlockFormat, ScaleFormat, block_format

__all__ = ["BLOCK_FORMAT_NAMES", "BlockFormat", "ScaleFormat", "block_format"]
