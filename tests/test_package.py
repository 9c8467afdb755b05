"""What `import amxfp4` gives, and what it does not load."""

import importlib
import pkgutil
import subprocess
import sys
import tomllib
from pathlib import Path

import pytest

import amxfp4

PACKAGES = ["amxfp4", *(f"amxfp4.{info.name}" for info in pkgutil.iter_modules(amxfp4.__path__) if info.ispkg)]


def test_there_are_nine_packages() -> None:
    assert len(PACKAGES) == 9


@pytest.mark.parametrize("name", PACKAGES)
def test_every_public_name_resolves_and_is_listed(name: str) -> None:
    package = importlib.import_module(name)
    assert dir(package) == sorted(package.__all__)
    assert len(set(package.__all__)) == len(package.__all__)
    for public in package.__all__:
        assert getattr(package, public) is not None
        exec(f"from {name} import {public}", {})


@pytest.mark.parametrize("name", [name for name in PACKAGES if name not in ("amxfp4", "amxfp4.golden")])
def test_no_lazy_name_is_that_of_a_module(name: str) -> None:
    """Importing the module would put it in the name's place; golden imports all names at once, after its modules."""
    package = importlib.import_module(name)
    assert not {info.name for info in pkgutil.iter_modules(package.__path__)} & set(package.__all__)


def test_extras_bring_what_their_rooms_import() -> None:
    """Who installs one extra can use its room; that of accuracy imports no hardware."""
    project = tomllib.loads((Path(__file__).parents[1] / "pyproject.toml").read_text())["project"]
    extras = project["optional-dependencies"]
    named = {extra for extra in extras if "amxfp4[hw]" in extras[extra]}
    assert named == {"sim", "formal", "fpga", "report", "cluster"}
    assert extras["dev"][0] == f"amxfp4[{','.join(extra for extra in extras if extra != 'dev')}]"


def test_rooms_and_names_are_there() -> None:
    assert amxfp4.golden.block_format("AMXFP4").scales_per_block == 2
    assert amxfp4.hw.MacConfig().name == "mac_amxfp4e5m2_x_amxfp4e5m2_l8_exact"
    assert amxfp4.hw.QuantizerConfig().latency > 0
    assert amxfp4.hw.MacUnit.__name__ == "MacUnit"
    assert amxfp4.hw.Quantizer.__name__ == "Quantizer"
    assert amxfp4.__version__
    assert {"golden", "hw", "sim"} <= set(dir(amxfp4))


def test_the_first_names_need_no_room() -> None:
    assert (amxfp4.quantize, amxfp4.Blocks) == (amxfp4.golden.quantize, amxfp4.golden.Blocks)
    assert (amxfp4.matmul, amxfp4.dot) == (amxfp4.golden.matmul, amxfp4.golden.dot)
    assert amxfp4.block_format is amxfp4.golden.block_format


def test_what_is_not_there_is_refused() -> None:
    with pytest.raises(AttributeError, match="no attribute 'gold'"):
        _ = amxfp4.gold
    with pytest.raises(AttributeError, match="no attribute 'Mac'"):
        _ = amxfp4.hw.Mac


@pytest.mark.parametrize(
    "statement, absent",
    (
        ("import amxfp4", ("numpy", "amaranth", "ast", "importlib.metadata")),
        ("import amxfp4; amxfp4.cli, amxfp4.sim, amxfp4.synth, amxfp4.formal", ("numpy", "amaranth", "z3", "cocotb")),
        ("import amxfp4; amxfp4.golden", ("amaranth", "cocotb", "rich")),
        ("import amxfp4.cli.main", ("numpy", "amaranth", "rich", "matplotlib")),
    ),
)
def test_nothing_is_loaded_before_it_is_needed(statement: str, absent: tuple[str, ...]) -> None:
    code = f"import sys; {statement}; print(*sorted(set({absent!r}) & set(sys.modules)))"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.split() == []
