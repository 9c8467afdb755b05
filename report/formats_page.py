"""Brings docs/formats.md and its pictures up to date: `python -m amxfp4.report.formats_page docs`."""

import sys
from collections.abc import Sequence
from pathlib import Path

from amxfp4.files import write_text
from amxfp4.golden import BLOCK_FORMAT_NAMES, block_format
from amxfp4.report.format_picture import format_picture
from amxfp4.report.format_table import casts_table, facts_table
from amxfp4.synth.tables import insert, run_with

PAGE = "formats.md"


def picture_name(name: str) -> str:
    """The picture of the format called `name`, from the documentation's folder: "images/format-amxfp4-z8.svg"."""
    return f"images/format-{name.lower()}.svg"


def update(docs: Path) -> None:
    """Writes the pictures and the tables that follow from the formats' facts.

    Args:
        docs: The folder of the documentation.

    Raises:
        UsageError: The page is not there, or does not have the comments that tables stand between.
    """
    insert(docs / PAGE, "formats", facts_table())
    insert(docs / PAGE, "casts", casts_table())
    for name in BLOCK_FORMAT_NAMES:
        write_text(docs / picture_name(name), format_picture(block_format(name)))


def main(words: Sequence[str]) -> None:
    """What running this module does, as `run_with` says.

    Args:
        words: The folder of the documentation.
    """
    run_with(words, 1, "one: the documentation's folder", lambda docs: update(Path(docs)))


if __name__ == "__main__":
    main(sys.argv[1:])
