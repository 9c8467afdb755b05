"""The scoreboard must notice everything: it is what every bench rests on."""

import numpy as np
import pytest

from amxfp4.golden import schedule
from amxfp4.golden.cycles import Schedule
from amxfp4.sim.scoreboard import Expected, Mismatch, Result, compare

ONE, TWO = Result(0x3F800000, False, False), Result(0x40000000, False, False)
EXPECTED = [Expected(ONE, "one", 0, 3), Expected(TWO, "two", 4, 7)]
DUE = schedule([False, False, False, True] * 2, latency=5, beats_per_block=4)
TAKEN, GIVEN = list(range(8)), [8, 12]


def check(
    expected: list[Expected] = EXPECTED,
    due: Schedule = DUE,
    taken: list[int] = TAKEN,
    given: list[int] = GIVEN,
    results: tuple[Result, ...] = (ONE, TWO),
) -> int:
    return compare(expected, due, taken=taken, given=given, results=results)


def test_what_is_equal_passes_and_is_counted() -> None:
    assert check() == 10


def test_nothing_compared_is_a_failure() -> None:
    nothing = Schedule(*[np.array([], np.int64)] * 3)
    with pytest.raises(Mismatch, match="nothing was compared"):
        check([], nothing, [], [], ())
    with pytest.raises(Mismatch, match="nothing was compared"):
        check(given=[], results=())


@pytest.mark.parametrize(
    ("found", "shown"),
    [
        (Result(0x40000001, False, False), "0x40000001 nan=0 overflow=0"),
        (Result(0x40000000, True, False), "0x40000000 nan=1 overflow=0"),
        (Result(0x40000000, False, True), "0x40000000 nan=0 overflow=1"),
    ],
)
def test_a_wrong_result_is_reported_with_beats_expected_and_found(found: Result, shown: str) -> None:
    with pytest.raises(Mismatch) as caught:
        check(results=(ONE, found))
    report = str(caught.value)
    assert "result 1 (two, beats 4..7)" in report
    assert "expected 0x40000000 nan=0 overflow=0 in cycle 12" in report
    assert f"found {shown} in cycle 12" in report


def test_results_in_the_wrong_order_are_reported() -> None:
    with pytest.raises(Mismatch, match="2 differences"):
        check(results=(TWO, ONE))


def test_a_wrong_cycle_is_reported_even_when_values_agree() -> None:
    with pytest.raises(Mismatch, match=r"in cycle 12, found .* in cycle 13"):
        check(given=[8, 13])
    with pytest.raises(Mismatch, match="beat 7: expected to be taken in cycle 7, found 8"):
        check(taken=[*TAKEN[:7], 8])


def test_missing_and_extra_results_are_reported() -> None:
    with pytest.raises(Mismatch, match="1 of 2 results came"):
        check(given=[8], results=(ONE,))
    with pytest.raises(Mismatch, match="result 2: expected none"):
        check(given=[8, 12, 16], results=(ONE, TWO, TWO))


def test_missing_beats_are_reported() -> None:
    with pytest.raises(Mismatch, match="7 beats were taken, expected 8"):
        check(taken=TAKEN[:7])


def test_a_long_report_is_cut_short() -> None:
    expected = [Expected(ONE, "one", beat, beat) for beat in range(20)]
    due = schedule([True] * 20, latency=1)
    with pytest.raises(Mismatch, match=r"20 differences(.|\n)*\.\.\. and 15 more"):
        compare(expected, due, taken=due.taken.tolist(), given=due.given.tolist(), results=[TWO] * 20)


def test_a_result_is_unpacked_from_its_payload() -> None:
    assert Result.unpack(0x3_7FC00000) == Result(0x7FC00000, True, True)
    assert Result.unpack(0x1_7FC00000) == Result(0x7FC00000, True, False)
