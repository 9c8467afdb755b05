"""What NVFP4 quantisers that are not ours give for random numbers, as nvfp4_reference.npz.

    python tests/golden/nvfp4_reference.py          brings the table of docs/formats.md up to date
    python tests/golden/nvfp4_reference.py --make   makes the file

To make the file, torch, torchao, compressed-tensors and nvidia-modelopt are needed, which the project does not depend
on. The versions that were used are in the file. It has the blocks (n, 16) of all tensors, one tensor after another, as
float32. For each quantiser it has a float32 per tensor (the tensor's scale, or its reciprocal), a scale code per block
and the element codes, two a byte.
"""

import argparse
import sys
from collections.abc import Callable
from importlib import import_module, metadata
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import NDArray

sys.path.insert(0, str(Path(__file__).parents[1]))  # the folder of the package `helpers`

from helpers.docs import DOCS
from helpers.nvfp4_reference import PATH, QUANTISERS, table, versions

BLOCK = 16

Result = tuple[Any, Any, Any]
Floats = NDArray[np.float32]


def tensors() -> dict[str, Floats]:
    """Tensors of random numbers: of each dtype, full of ties, of a wide range, with zeros, and at float32's limits."""
    rng = np.random.default_rng(20)

    def blocks(count: int, spread: float = 1.0) -> NDArray[np.float64]:
        return rng.standard_normal((count, BLOCK)) * np.exp(spread * rng.standard_normal((count, 1)))

    found = {"float32": blocks(100).astype(np.float32), "float16": blocks(100).astype(np.float16).astype(np.float32)}
    for index in range(6):
        found[f"bfloat16 {index}"] = _to_bfloat16(blocks(75) * 2 ** rng.uniform(-3, 3))
    for largest in (112, 147, 168, 210, 252):  # multiples of 7 and of 21 have many ties of scales and of elements
        x = np.round(rng.standard_normal((80, BLOCK)) * largest * 2 ** rng.uniform(-4, 0, (80, 1)) / 3)
        found[f"ties {largest}"] = np.clip(x, -largest, largest).astype(np.float32)
        found[f"ties {largest}"][:, 0] = np.arange(80) % 16 + 1
        found[f"ties {largest}"][0, 0] = largest
    wide = _to_bfloat16(blocks(60) * 2 ** rng.uniform(-24, 0, (60, 1)))
    wide[5] = 0
    wide[6] = -0.0
    found["wide"] = wide
    found["huge"] = (blocks(30) * 2.0**119).astype(np.float32)
    found["small"] = (blocks(30) * 2.0**-108).astype(np.float32)
    found["least"] = (blocks(30) * 2.0**-136).astype(np.float32)
    found["zero"] = np.zeros((2, BLOCK), np.float32)
    found["nan"] = blocks(4).astype(np.float32)
    found["nan"][1, 3] = np.nan
    found["infinity"] = blocks(4).astype(np.float32)
    found["infinity"][2, 5] = np.inf
    return found


def _to_bfloat16(x: NDArray[np.float64]) -> Floats:
    return (x.astype(np.float32).view(np.uint32) + 0x8000 & 0xFFFF0000).astype(np.uint32).view(np.float32)


def quantisers() -> dict[str, Callable[[Any], Result]]:
    """Functions of a torch tensor (n, 16) to a number, scales and packed codes, all torch tensors."""
    torch = import_module("torch")
    torchao = import_module("torchao.prototype.mx_formats.nvfp4_tensor")
    scheme = import_module("compressed_tensors.quantization.quant_scheme").preset_name_to_scheme("NVFP4", ["Linear"])
    utils = import_module("compressed_tensors.quantization.utils")
    pack = import_module("compressed_tensors.compressors.nvfp4.helpers").quantize_and_pack_fp4
    modelopt = import_module("modelopt.torch.quantization.qtensor.nvfp4_tensor").NVFP4QTensor

    def by_torchao(x: Any) -> Result:
        scale = torchao.per_tensor_amax_to_scale(torch.amax(torch.abs(x)))
        scales, codes = torchao.nvfp4_quantize(x, BLOCK, scale)
        return scale, scales, codes

    def by_compressed_tensors(x: Any) -> Result:
        factor = utils.generate_gparam(x.min(), x.max())
        scales, _ = utils.calculate_qparams(x.amin(1), x.amax(1), scheme.weights, global_scale=factor)
        scales = scales.reshape(-1, 1)
        return factor, scales.to(torch.float8_e4m3fn), pack(x, scales, global_scale=factor, group_size=BLOCK)

    def by_modelopt(x: Any) -> Result:
        quantised, scales, scale = modelopt.quantize(x.clone(), BLOCK)
        return scale, scales, quantised._quantized_data

    return dict(zip(QUANTISERS, (by_torchao, by_compressed_tensors, by_modelopt), strict=True))


def make() -> None:
    torch = import_module("torch")
    found = tensors()
    arrays: dict[str, Any] = {
        "names": np.array(list(found)),
        "counts": np.array([len(x) for x in found.values()]),
        "x": np.concatenate(list(found.values())),
        "versions": np.array([f"{name} {metadata.version(name)}" for name in ("torch", "numpy", *QUANTISERS)]),
    }
    for quantiser, function in quantisers().items():
        results = [function(torch.from_numpy(x)) for x in found.values()]
        scales = [scales.contiguous().view(torch.uint8).numpy().reshape(-1) for _, scales, _ in results]
        arrays[f"{quantiser} factors"] = np.array([factor.item() for factor, _, _ in results], np.float32)
        arrays[f"{quantiser} scales"] = np.concatenate(scales)
        arrays[f"{quantiser} codes"] = np.concatenate(
            [codes.numpy().reshape(-1, BLOCK // 2) for _, _, codes in results]
        )
    np.savez_compressed(PATH, **arrays)


def update_page() -> None:
    from amxfp4.synth.tables import insert  # needs more than what the file is made with

    insert(DOCS / "formats.md", "nvfp4", f"{table()}\n\nVersions: {versions()}.")


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--make", action="store_true", help="make the file, and leave the table")
    if parser.parse_args().make:
        make()
    else:
        update_page()


if __name__ == "__main__":
    main()
