"""What `import amxfp4` gives, and what it does not load."""

import subprocess
import sys

import pytest

import amxfp4


def test_rooms_and_names_are_there() -> None:
    assert amxfp4.golden.block_format("AMXFP4").scales_per_block == 2
    assert amxfp4.hw.MacConfig().name == "mac_amxfp4e5m2_x_amxfp4e5m2_l8_exact"
    assert amxfp4.hw.QuantizerConfig().latency > 0
    assert amxfp4.hw.MacUnit.__name__ == "MacUnit"
    assert amxfp4.hw.Quantizer.__name__ == "Quantizer"
    assert amxfp4.__version__
    assert {"golden", "hw", "sim"} <= set(dir(amxfp4))


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'gold'"):
        _ = amxfp4.gold
    with pytest.raises(AttributeError, match="no attribute 'Mac'"):
        _ = amxfp4.hw.Mac


@pytest.mark.parametrize(
    "statement, absent",
    (
        ("import amxfp4", ("numpy", "amaranth")),
        ("import amxfp4; amxfp4.golden", ("amaranth", "cocotb", "rich")),
        ("import amxfp4.cli.main", ("numpy", "amaranth", "rich", "matplotlib")),
    ),
)
def test_nothing_is_loaded_before_it_is_needed(statement: str, absent: tuple[str, ...]) -> None:
    code = f"import sys; {statement}; print(*sorted(set({absent!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
