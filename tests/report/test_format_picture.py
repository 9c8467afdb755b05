"""Pictures of block formats say what a format's facts say."""

from xml.etree import ElementTree

import pytest

from amxfp4.golden import BLOCK_FORMAT_NAMES, block_format
from amxfp4.report.format_picture import format_picture

SVG = "{http://www.w3.org/2000/svg}"


def picture(name: str) -> ElementTree.Element:
    return ElementTree.fromstring(format_picture(block_format(name)))


def texts(name: str) -> list[str]:
    return [element.text or "" for element in picture(name).iter(f"{SVG}text")]


def values(name: str) -> list[float]:
    """The dots' places, in scales, from the two ticks -2 and 2."""
    root = picture(name)
    ticks = {element.text: float(element.get("x", "")) for element in root.iter(f"{SVG}text")}
    unit = (ticks["2"] - ticks["−2"]) / 4
    dots = {float(element.get("cx", "")) for element in root.iter(f"{SVG}circle")}
    return sorted(round((dot - ticks["0"]) / unit, 2) for dot in dots)


SYMMETRIC = [-6.0, -4.0, -3.0, -2.0, -1.5, -1.0, -0.5, 0.0, 0.5, 1.0, 1.5, 2.0, 3.0, 4.0, 6.0]


@pytest.mark.parametrize(
    ("name", "expected"),
    [
        ("NVFP4", SYMMETRIC),
        ("AMXFP4-Z8", [*SYMMETRIC, 8.0]),
        ("AMXFP4-Z", [*SYMMETRIC, 12.0]),
        ("AMXFP4-X2", [value / 2 if value < 0 else value for value in SYMMETRIC]),
        ("AMXFP4-E4M3", [value * 0.75 if value < 0 else value for value in SYMMETRIC]),
    ],
)
def test_values(name: str, expected: list[float]) -> None:
    assert values(name) == pytest.approx(expected, abs=0.01)


@pytest.mark.parametrize("name", BLOCK_FORMAT_NAMES)
def test_nothing_lies_outside(name: str) -> None:
    root = picture(name)
    width, height = (float(side) for side in root.get("viewBox", "").split()[2:])
    for box in root.iter(f"{SVG}rect"):
        assert float(box.get("x", "0")) + float(box.get("width", "")) <= width
    for words in root.iter(f"{SVG}text"):
        assert 0 < float(words.get("y", "")) < height


def test_what_lies_behind_the_blocks() -> None:
    assert any("bits 0 and 1" in text and "4 blocks a byte" in text for text in texts("AMXFP4-X2"))
    assert any("bit 1 of" in text and "8 blocks a byte" in text for text in texts("AMXFP4-Z"))
    for name in ("AMXFP4-Z8", "MXFP4", "NVFP4"):
        assert not any("behind" in text for text in texts(name))
    assert any("float32 scale per tensor" in text for text in texts("NVFP4"))


def test_one_byte_for_each_scale() -> None:
    assert "byte 17" in texts("AMXFP4")
    assert "byte 16" in texts("MXFP4")
    assert "byte 8" in texts("NVFP4")
