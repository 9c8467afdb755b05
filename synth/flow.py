"""Verilog to gates: area, flip-flops, longest path and where the area sits, with yosys and the ABC inside it.

The flow, the same for every unit:

1. Flatten; initial values are dropped, as an ASIC's flip-flops have none; yosys' word-level optimisations.
2. Synchronous resets become logic, because most libraries have no such flip-flop. Registers that share an enable get
   one clock gate when the library has one: a pipeline that can stall would otherwise pay one multiplexer per bit.
3. The logic between registers falls into independent parts (see `partition.py`). Each is mapped with each of `RECIPES`;
   the smallest result that meets the delay target is taken, or the fastest when none does.
4. The whole is put together and timed (see `timing.py`).
"""

from __future__ import annotations

import json
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path

from amxfp4.synth import partition, timing
from amxfp4.synth.cells import liberty
from amxfp4.synth.cells.liberty import Library
from amxfp4.synth.timing import TimingReport, timing_library
from amxfp4.synth.tool import YOSYS, AbcError, read_output

# A delay target of this many fan-out-of-4 inverters suits any library: about 1 ns for Nangate45.
TARGET_FO4 = 46
# Fewer registers than this behind one enable get multiplexers: a clock gate would be larger.
CLOCK_GATE_MIN = 3

# Reset wins over enable, so the enable must let a reset through. `techmap` reads it as Verilog.
_RESET_MAP = "".join(
    f"module \\$_SDFF{kind}_P{r}{v}{e}_ (input D, C, R{', E' if e else ''}, output Q);\n"
    f"  \\{'$_DFFE_PP_' if e else '$_DFF_P_'} _TECHMAP_REPLACE_ (.C(C), .Q(Q), "
    f".D({'D | ' + reset if v == '1' else 'D & ~' + reset})"
    + (f", .E({enable}{' | ' + reset if kind == 'E' else ''})" if e else "")
    + ");\nendmodule\n"
    for kind, e in (("", ""), ("E", "P"), ("E", "N"), ("CE", "P"), ("CE", "N"))
    for r, reset in (("P", "R"), ("N", "(~R)"))
    for v in "01"
    for enable in ({"P": "E", "N": "(~E)", "": ""}[e],)
)

# A node is given up after so many conflicts. Sums of 32 products up to a power of two have bits that differ from others
# in one case of all, which would take hours to find.
_START = "strash; &get -n; &fraig -x -C 10000; &put; scorr"
_RESYN2 = "balance; rewrite; refactor; balance; rewrite; rewrite -z; balance; refactor -z; rewrite -z; balance"
_COMPRESS2RS = (
    "balance -l; resub -K 6 -l; rewrite -l; resub -K 6 -N 2 -l; refactor -l; resub -K 8 -l; balance -l; "
    "resub -K 8 -N 2 -l; rewrite -l; resub -K 10 -l; rewrite -z -l; resub -K 10 -N 2 -l; balance -l; resub -K 12 -l; "
    "refactor -z -l; resub -K 12 -N 2 -l; rewrite -z -l; balance -l"
)
_SIZE = "buffer -c; topo; upsize {D}; dnsize {D}"


@dataclass(frozen=True)
class Recipe:
    """Commands of ABC.

    Attributes:
        logic: Which of `LOGIC` restructures the logic.
        mapping: Makes gates of it; {D} stands for the delay target.
    """

    logic: str
    mapping: str


# What restructures logic, not yet knowing the library. It takes most of the time, so recipes share it.
LOGIC: dict[str, str] = {
    "compress": f"{_START}; {_COMPRESS2RS}; {_COMPRESS2RS}",
    "resyn": f"{_START}; {_RESYN2}; {_RESYN2}",
}
# `amap` and `map -a` know only area; the sizing behind them still speeds them up. What each gives on its own is in
# docs/results.
SMALL_RECIPES: dict[str, Recipe] = {
    "compress-amap": Recipe("compress", f"amap -m; {_SIZE}"),
    "resyn-amap": Recipe("resyn", f"amap -m; {_SIZE}"),
    "resyn-choices-amap": Recipe("resyn", f"dch; amap -m; {_SIZE}"),
}
# For the parts that none of the above makes fast enough.
FAST_RECIPES: dict[str, Recipe] = {
    "resyn-choices-nf": Recipe("resyn", f"dch; &get -n; &nf -R 100 -F 10 {{D}}; &put; {_SIZE}"),
    "resyn-map-area": Recipe("resyn", f"map -a -B 0; {_SIZE}"),
    "resyn-map-0": Recipe("resyn", f"map -B 0 {{D}}; {_SIZE}"),
    "resyn-map-9": Recipe("resyn", f"map -B 0.9 {{D}}; {_SIZE}"),
    "shallow-choices-map": Recipe("resyn", f"if -g; strash; dch; map -B 0 {{D}}; {_SIZE}"),
}
RECIPES = SMALL_RECIPES | FAST_RECIPES
# ABC's own timing is a little more optimistic than ours, which does not cut corners where edges meet.
_MARGIN = 0.97
# Breakdowns compare areas, not speeds.
HIERARCHY_RECIPE = "resyn-amap"


@dataclass(frozen=True)
class Part:
    """One part of the logic.

    Attributes:
        recipe: The one that was taken.
        area_ge: Area of its gates, in gate equivalents.
        delay_ps: Its longest path.
    """

    recipe: str
    area_ge: float
    delay_ps: float


@dataclass(frozen=True)
class SynthResult:
    """What one unit costs in one library.

    Attributes:
        area: In `area_unit`, registers and clock gates included.
        area_unit: The library's unit of area.
        area_ge: Gate equivalents: area over that of the library's smallest two-input NAND.
        area_registers_ge: The part of `area_ge` in flip-flops and clock gates.
        flip_flops: Their number.
        clock_gates: Their number.
        delay_ps: Longest path through logic, as ABC's `stime` counts it: from register outputs and input ports to
            register inputs and output ports. Cell delays come from the library's tables, with slews and pin loads; no
            wires.
        timing: The same with clock-to-output and setup time: the smallest clock period, and where its path runs.
        cells: Library cell -> how many.
        parts: The parts of the logic between registers.
        breakdown_ge: Instance path -> its own gate equivalents, without those of the instances within. "" is the top.
            Empty unless asked for. It comes from a second run that keeps the hierarchy and so forgoes optimisation
            across it: its sum is larger than `area_ge`.
        seconds: That it took.
    """

    area: float
    area_unit: str
    area_ge: float
    area_registers_ge: float
    flip_flops: int
    clock_gates: int
    delay_ps: float
    timing: TimingReport
    cells: dict[str, int]
    parts: dict[str, Part]
    breakdown_ge: dict[str, float] = field(default_factory=dict)
    seconds: float = 0.0


def synthesise(
    verilog: str,
    top: str,
    library: Path | str | Library | None = None,
    hierarchy: bool = False,
    *,
    target_ps: float | None = None,
    timeout: float = 600.0,
    netlist: Path | None = None,
) -> SynthResult:
    """Maps a module to the gates of a library.

    Args:
        verilog: The text of the module and of all within it.
        top: The module's name.
        library: A liberty file, as `liberty.find` takes it, or one that was read.
        hierarchy: Whether the breakdown is wanted, which takes a second run.
        target_ps: Delay target. None takes `default_target_ps`.
        timeout: Seconds for each run of yosys.
        netlist: Where the mapped netlist is written, if anywhere: Verilog, or yosys' JSON when the name ends in .json.

    Raises:
        UsageError: A wrong liberty, or a missing yosys.
        ToolError: yosys failed or took too long.
    """
    lib = library if isinstance(library, Library) else liberty.read(liberty.find(library))
    target = default_target_ps(lib) if target_ps is None else target_ps
    started = time.monotonic()
    with tempfile.TemporaryDirectory(prefix="amxfp4-synth-") as name:
        work = Path(name)
        _write_inputs(work, verilog, lib)
        parts = _split(work, top, lib, timeout)
        results = _try_all(work, top, lib, parts, target, timeout)
        chosen = {part: choose(tried, target) for part, tried in results.items()}
        mapped = _assemble(work, top, chosen, timeout)
        if netlist is not None:
            shutil.copyfile(work / ("mapped.json" if netlist.suffix == ".json" else "mapped.v"), netlist)
        breakdown = _breakdown(work, top, lib, target, timeout) if hierarchy else {}
    cells = _cells(mapped, top, lib)
    area = _area(cells, lib)
    registers = {cell: n for cell, n in cells.items() if lib.cells[cell].is_flip_flop}
    gates = {cell: n for cell, n in cells.items() if lib.cells[cell].is_clock_gate}
    return SynthResult(
        area=round(area, 4),
        area_unit=lib.area_unit,
        area_ge=round(area / lib.nand2.area, 2),
        area_registers_ge=round(_area(registers | gates, lib) / lib.nand2.area, 2),
        flip_flops=sum(registers.values()),
        clock_gates=sum(gates.values()),
        delay_ps=timing.analyse(mapped, top, lib, registers=False).period_ps,
        timing=timing.analyse(mapped, top, lib),
        cells=cells,
        parts={part: Part(recipe, *results[part][recipe]) for part, recipe in chosen.items()},
        breakdown_ge=breakdown,
        seconds=round(time.monotonic() - started, 1),
    )


def choose(alternatives: dict[str, tuple[float, float]], target_ps: float) -> str:
    """The recipe of the smallest (area, delay) within the target, or of the fastest when none is."""
    within = {name: result for name, result in alternatives.items() if result[1] <= target_ps}
    if within:
        return min(within, key=lambda name: within[name])
    return min(alternatives, key=lambda name: alternatives[name][::-1])


def default_target_ps(library: Library, fo4: float = TARGET_FO4) -> float:
    """`fo4` fan-out-of-4 inverter delays of the library, rounded to two digits."""
    return float(f"{fo4 * timing_library(library).fo4_ps:.2g}")


def _write_inputs(work: Path, verilog: str, lib: Library) -> None:
    # yosys sees a /tmp of its own, so everything lies in the directory it runs in.
    (work / "in.v").write_text(verilog, encoding="utf-8")
    (work / "cells.lib").write_text(lib.plain, encoding="utf-8")
    (work / "reset_map.v").write_text(_RESET_MAP, encoding="utf-8")
    load = next(iter(timing_library(lib).cell(lib.flip_flop.name).capacitance.values()))
    # A register's output is about as strong as the smallest buffer; a path ends at a register.
    (work / "ports.constr").write_text(
        f"set_driving_cell {lib.buffer.name}\nset_load {load * lib.femtofarads:g}\n", encoding="utf-8"
    )


def _abc_script(work: Path, recipe: Recipe, target_ps: float, part: str) -> str:
    """Writes the ABC script of a recipe for one part, and returns its name.

    The first recipe that needs a part's restructured logic keeps it in a file for the others.
    """
    logic = work / f"{part}.{recipe.logic}.blif"  # read_aiger would be exact, but crashes in WebAssembly
    start = f"read_blif {logic.name}; strash" if logic.exists() else f"{LOGIC[recipe.logic]}; write_blif {logic.name}"
    logic.touch()
    commands = f"{start}; {recipe.mapping}".replace("{D}", f"-D {target_ps * _MARGIN:g}")
    script = work / f"{part}.{len(list(work.glob(f'{part}.*.abc')))}.abc"
    script.write_text(commands.replace("; ", "\n") + "\n", encoding="utf-8")
    return script.name


def _prepare(top: str, lib: Library, *, flat: bool) -> str:
    """Everything up to gates of yosys' own library, with registers mapped to the target library."""
    keep = "" if flat else f"setattr -mod -set keep_hierarchy 1 A:* {top} %d"
    gate = "clockgate -liberty cells.lib" if lib.clock_gates else ""
    # Only with clock gates is an enable worth keeping apart from its data.
    legal = f"-mince {CLOCK_GATE_MIN} -cell $_DFFE_PP_ x" if lib.clock_gates else ""
    reset = "techmap -map reset_map.v" if lib.clock_gates else ""
    return f"""
read_verilog in.v
hierarchy -check -top {top}
proc
setattr -unset init w:*
{keep}
flatten
synth -run coarse:fine -nofsm -top {top} {"" if flat else "-hieropt"}
opt -full
techmap
opt -fast
opt -full
{reset}
simplemap
opt_merge
opt_clean
dfflegalize {legal} -cell $_DFF_P_ x
opt_merge
opt_clean
{gate}
dfflibmap -liberty cells.lib
opt_clean
"""


def _split(work: Path, top: str, lib: Library, timeout: float) -> dict[str, int]:
    """Writes parts.json, the prepared netlist with a module for each part of its logic; returns their gate counts."""
    _run(work, _prepare(top, lib, flat=True) + "delete t:$scopeinfo\nwrite_json prepared.json\n", timeout, top)
    divided, parts = partition.split(json.loads(read_output(work / "prepared.json")), top)
    (work / "parts.json").write_text(json.dumps(divided), encoding="utf-8")
    return parts


def _abc(script: str, module: str = "") -> str:
    return f"abc -liberty cells.lib -constr ports.constr -script {script} {module}\nopt_clean {module}\n"


def _try_all(
    work: Path, top: str, lib: Library, parts: dict[str, int], target_ps: float, timeout: float
) -> dict[str, dict[str, tuple[float, float]]]:
    """Part -> recipe -> (gate equivalents, longest path in ps), for the recipes that were worth trying.

    Each result is left in `{part}.{recipe}.il`.
    """
    results: dict[str, dict[str, tuple[float, float]]] = {part: {} for part in parts}
    for recipes in (SMALL_RECIPES, FAST_RECIPES):
        slow = [part for part in parts if all(delay > target_ps for _, delay in results[part].values())]
        if not slow:
            break
        for name in _run_recipes(work, top, recipes, slow, target_ps, timeout):
            mapped = json.loads(read_output(work / f"{name}.json"))
            for part, result in _measure(mapped, top, lib, slow).items():
                results[part][name] = result
    return results


def _run_recipes(
    work: Path, top: str, recipes: dict[str, Recipe], parts: list[str], target_ps: float, timeout: float
) -> list[str]:
    """Maps the parts with each recipe, and returns those recipes that could.

    ABC's sizing now and then fails on a netlist. Then the recipes run one by one, and the one that fails is left out.
    Nothing else leaves a recipe out: what a recipe that was killed would have given is not known.
    """
    try:
        _run(work, _recipe_script(work, top, recipes, parts, target_ps), timeout, top)
        return list(recipes)
    except AbcError as error:
        failure = error
    done = []
    for name in recipes:
        try:
            _run(work, _recipe_script(work, top, {name: recipes[name]}, parts, target_ps), timeout, top)
            done.append(name)
        except AbcError as error:
            failure = error
    if not done and recipes is SMALL_RECIPES:
        raise failure
    return done


def _recipe_script(work: Path, top: str, recipes: dict[str, Recipe], parts: list[str], target_ps: float) -> str:
    for kept in work.glob("*.blif"):
        if not kept.stat().st_size:  # promised by a run that failed
            kept.unlink()
    script = ["read_json parts.json", "design -save parts"]
    for name, recipe in recipes.items():
        script.append("design -load parts")
        for part in parts:
            module = f"{top}_{part}"
            script.append(_abc(_abc_script(work, recipe, target_ps, part), module))
            script.append(f"select {module}\nwrite_rtlil -selected {part}.{name}.il\nselect -clear")
        script += ["flatten", "opt_clean", f"write_json {name}.json"]
    return "\n".join(script)


def _assemble(work: Path, top: str, recipes: dict[str, str], timeout: float) -> dict:
    """Puts the parts together, each from its recipe, and returns the flat netlist, which is left in mapped.v too."""
    script = [
        "read_json parts.json",
        *(f"read_rtlil -overwrite {part}.{recipe}.il" for part, recipe in recipes.items()),
    ]
    script += ["flatten", "opt_clean", "write_verilog -noattr mapped.v", "write_json mapped.json"]
    _run(work, "\n".join(script), timeout, top)
    return json.loads(read_output(work / "mapped.json"))


def _measure(netlist: dict, top: str, lib: Library, parts: list[str]) -> dict[str, tuple[float, float]]:
    """Part -> (gate equivalents, longest path in ps) in a flat netlist."""
    area = dict.fromkeys(parts, 0.0)
    for name, cell in netlist["modules"][top]["cells"].items():
        part = _part(name, top)
        if part in area and cell["type"] in lib.cells:
            area[part] += lib.cells[cell["type"]].area
    delay = timing.latest(netlist, top, lib, lambda name: _part(name, top))
    return {part: (round(area[part] / lib.nand2.area, 2), delay.get(part, 0.0)) for part in parts}


def _part(cell: str, top: str) -> str:
    """The part that a cell of the flat netlist came from: flattening has put its module's instance before its name."""
    return cell.removeprefix("$flatten\\").split(".", 1)[0].removeprefix(f"{top}_") if "." in cell else ""


def _run(work: Path, script: str, timeout: float, top: str) -> None:
    (work / "script.ys").write_text(script, encoding="utf-8")
    YOSYS.run(["-q", "-s", "script.ys"], work=work, timeout=timeout, doing=f"synthesis of {top!r}")


def _cells(netlist: dict, module: str, lib: Library) -> dict[str, int]:
    """Library cell -> how many `module` itself has, by name."""
    counts = Counter(cell["type"] for cell in netlist["modules"][module]["cells"].values())
    return {name: counts[name] for name in sorted(counts) if name in lib.cells}


def _area(cells: dict[str, int], lib: Library) -> float:
    return sum(lib.cells[cell].area * count for cell, count in cells.items())


def _breakdown(work: Path, top: str, lib: Library, target_ps: float, timeout: float) -> dict[str, float]:
    recipe = RECIPES[HIERARCHY_RECIPE]
    commands = f"{LOGIC[recipe.logic]}; {recipe.mapping}".replace("{D}", f"-D {target_ps * _MARGIN:g}")
    (work / "hierarchy.abc").write_text(commands.replace("; ", "\n") + "\n", encoding="utf-8")
    script = _prepare(top, lib, flat=False) + _abc("hierarchy.abc") + "write_json hierarchy.json\n"
    _run(work, script, timeout, top)
    netlist = json.loads(read_output(work / "hierarchy.json"))

    def walk(module: str, path: str) -> Iterator[tuple[str, float]]:
        yield path, round(_area(_cells(netlist, module, lib), lib) / lib.nand2.area, 2)
        for name, cell in sorted(netlist["modules"][module]["cells"].items()):
            if cell["type"] in netlist["modules"] and cell["type"] not in lib.cells:
                yield from walk(cell["type"], f"{path}.{name}".lstrip("."))

    return dict(walk(top, ""))
