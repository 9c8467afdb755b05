"""Liberties broken in random ways, and all that is read of one."""

import re

from hypothesis import strategies as st

from amxfp4.synth import energy
from amxfp4.synth.cells import liberty
from amxfp4.synth.timing import TimingLibrary

_TOKEN = re.compile(r'"[^"]*"|\s+|[\w.]+|.', re.DOTALL)
_INSERTED = ['"', "\\", "\\\n", "/*", "*/", "//", "{", "}", "(", ")", ":", ";", ",", "=", "'", "!", "\0", "\ufeff", "é"]
_INSERTED += ["1,5", "-1", "nan", "1e999", "1" * 400, "values", "pin (A, B) {", "cell (X) {", "include_file (y);", "("]


@st.composite
def broken(draw: st.DrawFn, text: str) -> bytes:
    """A text with some of its tokens left out, doubled, exchanged, replaced or cut, or some of its bytes flipped."""
    tokens = _TOKEN.findall(text)
    for _ in range(draw(st.integers(1, 4))):
        at = draw(st.integers(0, len(tokens) - 1))
        other = draw(st.integers(0, len(tokens) - 1))
        match draw(st.sampled_from(["leave out", "double", "exchange", "replace", "insert", "repeat", "cut"])):
            case "leave out":
                tokens[at : at + draw(st.integers(1, 9))] = [""]
            case "double":
                tokens.insert(at, tokens[at])
            case "exchange":
                tokens[at], tokens[other] = tokens[other], tokens[at]
            case "replace":
                tokens[at] = draw(st.sampled_from(_INSERTED) | st.text(max_size=4))
            case "insert":
                tokens.insert(at, draw(st.sampled_from(_INSERTED)))
            case "repeat":
                tokens.insert(at, (tokens[other] * draw(st.sampled_from([2, 300, 5_000])))[:50_000])
            case "cut":
                del tokens[max(at, 1) :]
    data = bytearray("".join(tokens).encode(errors="replace"))
    for _ in range(draw(st.sampled_from([0, 0, 1, 3]))):
        if data:
            data[draw(st.integers(0, len(data) - 1))] ^= 1 << draw(st.integers(0, 7))
    return bytes(data)


def read_all(library: liberty.Library) -> None:
    """All that synthesis, timing and energy ask of a library."""
    assert library.plain.endswith("}\n")
    timing = TimingLibrary(library)
    assert timing.fo4_ps is not None
    for cell in library.cells.values():
        timing.cell(cell.name)
    power = energy._Power(library)
    for cell in library.cells.values():
        for pin in cell.pins:
            power.output(cell, pin.name, 1.0)
            power.input(cell, pin.name)
