"""The table of structures, and that the documentation has today's."""

from pathlib import Path

from amxfp4.hw.structures import every_mac, structures, structures_table

PAGE = Path(__file__).parents[2] / "docs/architecture.md"


def test_every_config_has_one_of_the_structures_and_each_has_an_example() -> None:
    found = structures()
    assert sum(count for _, count, _ in found) == len(every_mac())
    assert all(example.plan.structure == structure for structure, _, example in found)
    assert len({structure for structure, _, _ in found}) == len(found)


def test_the_documentation_has_the_table() -> None:
    """docs/contributing.md says how it comes there."""
    assert f"<!-- structures -->\n\n{structures_table()}\n<!-- end of structures -->" in PAGE.read_text()
