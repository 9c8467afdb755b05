"""A program: products whose BLAS threads flush subnormals, although the thread that asks for them does not.

Usage: under_flushing_threads.py LIBRARY. It prints a digest of each product of `products`.
"""

import sys
from pathlib import Path

from helpers.float_mode import in_mode


def products() -> list[str]:
    """Digests of products that have subnormals among their operands, their terms, their sums or their results."""
    from hashlib import sha256

    import numpy as np

    from amxfp4.golden import Blocks, block_format, matmul

    rng = np.random.default_rng(5)

    def blocks(name: str, low: int, high: int, rows: int) -> Blocks:
        fmt = block_format(name, 128)
        scales = rng.integers(low, high, (rows, 6, fmt.scale_fields), dtype=np.uint8)
        if fmt.halving:
            scales[..., 1] %= 4
        return Blocks.from_codes(codes=rng.integers(0, 16, (rows, 768), dtype=np.uint8), scales=scales, fmt=fmt)

    found = []
    for name, a_range, w_range in (
        ("MXFP4", (50, 56), (56, 60)),  # products of about 2^-140
        ("MXFP4", (0, 3), (120, 130)),  # elements of about 2^-127
        ("MXFP4", (0, 40), (0, 40)),  # products of about 2^-214
        ("AMXFP4-E8M0", (0, 40), (80, 120)),
        ("AMXFP4-E5M2", (0, 4), (0, 4)),
        ("MXFP4-UE5M3", (0, 100), (0, 100)),
        ("AMXFP4-X2", (0, 4), (0, 255)),
    ):
        a, w = blocks(name, *a_range, 128), blocks(name, *w_range, 128)
        for accumulator in ("fp32", "exact" if a.fmt.scale.is_fp8 else "window"):
            found += [sha256(matmul(a, w, accumulator).tobytes()).hexdigest()]
    return found


def main() -> None:
    with in_mode(Path(sys.argv[1]), "flush"):
        import numpy as np  # BLAS begins its threads when it is loaded, or at its first large product

        ones = np.ones((1024, 1024), np.float32)
        assert (ones @ ones == 1024).all()
        import amxfp4.golden  # noqa: F401 - its tables are made in this mode

        least = np.array([1], np.uint32).view(np.float32)
    print("threads flush:", bool((ones[:256, :256] @ (least * ones[:256, :256]) == 0).any()), file=sys.stderr)
    print(*products(), sep="\n")


if __name__ == "__main__":
    main()
