"""What the report is made of: the JSON files that the other commands wrote."""

import os
from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from amxfp4.accuracy.choice import as_used, headline_cases
from amxfp4.accuracy.study_tables import best_rule, of_cases
from amxfp4.errors import UsageError
from amxfp4.files import check_shape, read_json, reading
from amxfp4.hw.catalogue import Pair
from amxfp4.hw.mac.config import MacConfig
from amxfp4.report.pairs import pair_of
from amxfp4.report.shapes import Compared, Energy, Fpga, Study
from amxfp4.synth.record import MeasuredArea, Record, check_config

AREA = Path("build/area/area.json")
SWEEP = Path("build/sweep/sweep.json")
ACCURACY = Path("build/accuracy/accuracy.json")
FPGA = Path("build/fpga/fpga.json")
ENERGY = Path("build/energy/energy.json")

ROUNDING = "nearest-away"
"""Of the accuracies shown: the published code's default."""


@dataclass(frozen=True)
class Inputs:
    """What was read.

    Attributes:
        units: MAC units of one library as `synth.area.measure_area` gives them, ratios filled in, in the order of the
            table.
        swept: MAC units of a sweep in the same library, with more lanes and pipelines; may be empty.
        cases: Of the accuracy study, with ties as `ROUNDING`, by the formats' default rules, in each block size.
        model: What the accuracy was measured on.
        quick: Whether on some of its sentences only, and without pairs of two formats.
        fpga: MAC units as `synth.fpga.measure_fpga` gives them; may be empty.
        energy: MAC units as `synth.layer_energy.measure_energy` gives them; may be empty.
        baselines: Of the accuracy study, what all else is held against beside OCP's MXFP4: MXFP4 by its best rule, if
            that is not OCP's, and NVFP4 as it is used; may be empty.
        headline: Of the accuracy study, each format as it is used, and INT4; may be empty.
    """

    units: list[Record]
    swept: list[Record]
    cases: list[Record]
    model: str
    quick: bool
    fpga: list[Record]
    energy: list[Record]
    baselines: list[Record] = field(default_factory=list)
    headline: list[Record] = field(default_factory=list)

    @property
    def library(self) -> str:
        return str(self.units[0]["library"])

    @property
    def lanes(self) -> list[int]:
        """Numbers of lanes in the table."""
        return sorted({unit["lanes"] for unit in self.units})

    @property
    def pairs(self) -> list[Pair]:
        """(activation, weight), in the order of the table."""
        return list(dict.fromkeys(pair_of(unit) for unit in self.units))

    @property
    def extra_baselines(self) -> list[Record]:
        """Those of the baselines whose accuracy is that of no pair by its default rule."""
        return [case for case in self.baselines if case["rule"] is not None or pair_of(case) not in self.pairs]

    def unit(self, pair: Pair, lanes: int) -> Record | None:
        """The unit of a pair with its default accumulator: exact where there is one."""
        return default_of([u for u in self.units if pair_of(u) == pair and u["lanes"] == lanes])

    def accuracy(self, pair: Pair, accumulator: str | None = None, encode: str = "direct") -> Record | None:
        """The case of these formats; with this accumulator if it was measured, otherwise with the default one."""
        found = [
            case
            for case in (*self.cases, *(case for case in self.baselines if not case["rule"]))
            if pair_of(case) == pair and case["weight_encode"] == encode
        ]
        exactly = [case for case in found if case["accumulate"] == accumulator]
        return next(iter(exactly + [case for case in found if case["accumulate"] is None]), None)


def default_of(units: Sequence[Record]) -> Record | None:
    """Of several units the one with an exact accumulator, or the first."""
    return next((u for u in units if u["accumulator"] == "exact"), next(iter(units), None))


def read_inputs(
    area: Path = AREA, accuracy: Path = ACCURACY, sweep: Path = SWEEP, fpga: Path = FPGA, energy: Path = ENERGY
) -> Inputs:
    """Reads the files that the commands wrote.

    Those of sweep, FPGA and energy may be missing, and that of areas where there is a sweep.

    Raises:
        UsageError: A file that is needed is missing, or one is not what its command writes.
    """
    measured = _units(area, "amxfp4 area", MeasuredArea, required=not sweep.is_file())
    swept = _units(sweep, "amxfp4 sweep", MeasuredArea)
    library = (measured or swept or [{"library": ""}])[0]["library"]
    swept = [unit for unit in swept if unit["library"] == library]
    units = measured or [unit for unit in swept if is_default(unit)]
    if not units:
        raise UsageError(f"{str(area)!r} has no MAC unit; `amxfp4 area` writes one that has")
    study = _load(accuracy, "amxfp4 accuracy", Study, required=True)
    cases = [case for case in study["cases"] if _is_plain(case)]
    headline = of_cases(study, headline_cases())
    with reading(accuracy, _needed("amxfp4 accuracy")):
        for case in headline:
            check_shape(case, Compared)
    held_against = [best_rule(study), *of_cases(study, [as_used("NVFP4")])]
    return Inputs(
        units,
        swept,
        cases,
        study["model"],
        study["quick"],
        _units(fpga, "amxfp4 fpga", Fpga),
        _units(energy, "amxfp4 energy", Energy),
        [case for case in held_against if case and case not in cases and _is_whole(case)],
        [case for case in (*headline, *study.get("int4", [])) if _is_whole(case)],
    )


def _is_whole(case: Record) -> bool:
    """Whether the figures of a case that are shown are numbers."""
    means = [end["cosine_mean"] for end in case["end_to_end"].values()]
    return None not in (case["linear_layers_mean"]["output"], *means)


def _is_plain(case: Record) -> bool:
    """Whether a case of the study is among those that units are shown with."""
    departs = any(case.get(name) is not None for name in ("rule", "tensor_scale", "rotation"))
    return bool(case["rounding"] == ROUNDING) and not departs


def is_default(unit: Record) -> bool:
    """Whether a MAC unit has the pipeline that its formats and lanes get unless told otherwise."""
    config = MacConfig(**unit["config"])
    plain = MacConfig(config.activation, config.weight, config.block_size, config.lanes, config.accumulator)
    return config == plain


def _units(path: Path, command: str, shape: type, *, required: bool = False) -> list[Record]:
    """The records of MAC units in a file; none where an optional file is missing."""
    records = _load(path, command, list[dict[str, Any]], required=required)
    if records is None:
        return []
    # Energy is of MAC units alone, and does not say so.
    units: list[Record] = [record for record in records if record.get("unit", "mac") == "mac"]
    with reading(path, _needed(command)):
        check_shape(units, list[shape])  # type: ignore[valid-type]
        if shape is MeasuredArea:
            for unit in units:
                check_config(unit)
    return units


def _load(path: Path, command: str, shape: Any, *, required: bool) -> Any:
    """What a file holds; None where an optional file is missing."""
    if not os.path.exists(path):
        if required:
            raise UsageError(f"{str(path)!r} is missing; `{command}` makes it")
        return None
    return read_json(path, shape, _needed(command))


def _needed(command: str) -> str:
    return f"a file that `{command}` wrote"
