"""Brings docs/accuracy.md up to date: `python -m amxfp4.report.accuracy_page build/accuracy docs`.

The page's tables are made from docs/accuracy/results.json, which has those of the study's figures that they need.
"""

import json
import sys
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from amxfp4.accuracy.facts import EXAMPLE_SIZE, ROUNDING
from amxfp4.accuracy.study_tables import TABLES, TENSOR_FORMATS
from amxfp4.errors import UsageError
from amxfp4.files import parse_json, reading, write_text
from amxfp4.report.shapes import Study
from amxfp4.synth.tables import insert, run_with

PAGE = "accuracy.md"
RESULTS = Path("accuracy", "results.json")
"""From the documentation's folder, as the page's pictures are."""

_LEFT_OUT = ("example_blocks",)
_DIGITS = 7


def update(measured: Path, docs: Path) -> None:
    """Writes the results, the pictures and the tables.

    Args:
        measured: The folder that `amxfp4 accuracy` wrote.
        docs: The folder of the documentation.

    Raises:
        UsageError: The study is missing, or a quick one, or the page does not have the comments that tables stand
            between.
    """
    kept, tables = _read(measured / "accuracy.json")
    for place, table in tables.items():
        insert(docs / PAGE, place, table)
    write_text(docs / RESULTS, dumped(kept))
    for picture in sorted(measured.glob("*.svg")):
        write_text(docs / RESULTS.parent / picture.name, picture.read_text(encoding="utf-8"))


def _read(path: Path) -> tuple[dict[str, Any], dict[str, str]]:
    """What the page needs of a study, and its tables by their places."""
    with reading(path, "what `amxfp4 accuracy` writes"):
        study = parse_json(path.read_bytes(), Study)
        try:
            kept = needed(study)
            tables = {place: table(kept) for place, table in TABLES.items()}
        except (KeyError, TypeError, AttributeError) as error:
            raise ValueError(f"it lacks something of a study: {error}") from None
    if study["quick"]:
        raise UsageError(f"{str(path)!r} is of a quick study; `amxfp4 accuracy` without --quick is needed")
    return kept, tables


def needed(study: dict[str, Any]) -> dict[str, Any]:
    """The part of a study that the tables need, with seven significant digits."""
    kept = {key: value for key, value in study.items() if key not in _LEFT_OUT}
    for name in ("cases", "int4"):
        kept[name] = [_needed_of(record) for record in study[name]]
    rounded: dict[str, Any] = _rounded(kept)
    return rounded


def dumped(results: dict[str, Any]) -> str:
    """JSON with a line for each way of quantising, so that a change of one is seen."""
    parts = []
    for key, value in results.items():
        if isinstance(value, list) and value:
            lines = ",\n  ".join(json.dumps(item) for item in value)
            parts.append(f" {json.dumps(key)}: [\n  {lines}\n ]")
        else:
            parts.append(f" {json.dumps(key)}: {json.dumps(value)}")
    return "{\n" + ",\n".join(parts) + "\n}\n"


def _needed_of(record: dict[str, Any]) -> dict[str, Any]:
    """A record without its layers, of which the table of tensors needs those of a few formats."""
    kept = dict(record)
    if not (
        record["label"] in TENSOR_FORMATS
        and (record.get("block_size"), record.get("rounding")) == (EXAMPLE_SIZE, ROUNDING)
    ):
        kept.pop("kinds", None)
    kept["end_to_end"] = {
        products: {key: value for key, value in end.items() if key != "hidden_sqnr"}
        for products, end in record["end_to_end"].items()
    }
    return kept


def _rounded(value: Any) -> Any:
    if isinstance(value, dict):
        return {key: _rounded(item) for key, item in value.items()}
    if isinstance(value, list):
        return [_rounded(item) for item in value]
    return float(f"{value:.{_DIGITS}g}") if isinstance(value, float) else value


def main(words: Sequence[str]) -> None:
    """What running this module does, as `run_with` says.

    Args:
        words: The folder that `amxfp4 accuracy` wrote, and the folder of the documentation.
    """
    what = "two: the study's folder and the documentation's"
    run_with(words, 2, what, lambda measured, docs: update(Path(measured), Path(docs)))


if __name__ == "__main__":
    main(sys.argv[1:])
