"""Each field lies where `to_bytes` puts it."""

import numpy as np
import pytest

from amxfp4.golden import BLOCK_FORMAT_NAMES, Blocks, block_format
from amxfp4.golden.formats import BlockFormat
from amxfp4.report.format_layout import Field, apart_field, block_fields

EACH_FORMAT = pytest.mark.parametrize("name", BLOCK_FORMAT_NAMES)
COUNT = 11


def random_blocks(fmt: BlockFormat) -> Blocks:
    rng = np.random.default_rng(1)
    codes = rng.integers(0, 16, (COUNT, fmt.block_size), np.uint8)
    scales = rng.integers(0, fmt.scale.nan_code + 1, (COUNT, 1, fmt.scale_fields), np.uint8)
    if fmt.has_asymmetry_code:
        scales[..., 1] = rng.integers(0, fmt.asymmetry_codes, (COUNT, 1))
    return Blocks.from_codes(codes=codes, scales=scales, fmt=fmt)


def read(data: bytes, field: Field) -> int:
    return int.from_bytes(data, "little") >> field.offset & ((1 << field.width) - 1)


@EACH_FORMAT
def test_every_bit_is_where_it_is_said_to_be(name: str) -> None:
    fmt = block_format(name)
    blocks = random_blocks(fmt)
    data = blocks.to_bytes()
    behind = data[COUNT * fmt.bytes_per_block :]
    for row in range(COUNT):
        block = data[row * fmt.bytes_per_block :][: fmt.bytes_per_block]
        found = {(field.kind, field.index): read(block, field) for field in block_fields(fmt)}
        for column in range(fmt.block_size):
            assert found["element", column] == blocks.codes[row, column]
        for scale in range(fmt.scales_per_block):
            code = int(blocks.scales[row, 0, scale])
            mantissa = found.get(("mantissa", scale), 0)  # E8M0 has none
            assert found["exponent", scale] << fmt.scale.mantissa_bits | mantissa == code
            assert found.get(("zero", scale), 0) == 0
        if fmt.has_asymmetry_code:
            apart = apart_field(fmt, row)
            code = found.get(("asymmetry", 0), 0) | read(behind, apart) << apart.index
            assert code == blocks.scales[row, 0, 1]


@EACH_FORMAT
@pytest.mark.parametrize("size", [8, 128])
def test_a_blocks_fields_follow_each_other(name: str, size: int) -> None:
    fmt = block_format(name, size)
    place = 0
    for field in block_fields(fmt):
        assert (field.offset, field.width > 0) == (place, True)
        place += field.width
    assert place == 8 * fmt.bytes_per_block
    assert place + apart_field(fmt, 0).width == fmt.bits_per_block
