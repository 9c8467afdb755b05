"""The scoreboard must notice everything: it is what every bench rests on."""

import pytest

from amxfp4.golden import schedule
from amxfp4.sim.scoreboard import Due, Expected, Mismatch, Result, compare

ONE, TWO = Result(0x3F800000, False, False), Result(0x40000000, False, False)
EXPECTED = [Expected(ONE, "one", 0, 3), Expected(TWO, "two", 4, 7)]
DUE = Due({"i": range(8)}, [8, 12])
TAKEN, GIVEN = list(range(8)), [8, 12]


def payload(result: Result) -> int:
    return result.value | result.nan << 32 | result.overflow << 33


def check(
    expected: list[Expected] = EXPECTED,
    due: Due = DUE,
    taken: list[int] = TAKEN,
    given: list[int] = GIVEN,
    results: tuple[Result, ...] = (ONE, TWO),
) -> int:
    return compare(expected, due, taken={"i": taken}, given=given, payloads=[payload(r) for r in results])


def test_what_is_equal_passes_and_is_counted() -> None:
    assert check() == 10


def test_nothing_compared_is_a_failure() -> None:
    with pytest.raises(Mismatch, match="nothing was compared"):
        check([], Due({"i": []}, []), [], [], ())
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
    with pytest.raises(Mismatch, match="beat 7 of i: expected to be taken in cycle 7, found 8"):
        check(taken=[*TAKEN[:7], 8])


def test_missing_and_extra_results_are_reported() -> None:
    with pytest.raises(Mismatch, match="1 of 2 results came"):
        check(given=[8], results=(ONE,))
    with pytest.raises(Mismatch, match="result 2: expected none"):
        check(given=[8, 12, 16], results=(ONE, TWO, TWO))


def test_missing_beats_are_reported() -> None:
    with pytest.raises(Mismatch, match="7 beats of i were taken, expected 8"):
        check(taken=TAKEN[:7])


def test_a_long_report_is_cut_short() -> None:
    expected = [Expected(ONE, "one", beat, beat) for beat in range(20)]
    found = schedule([True] * 20, latency=1)
    due = Due({"i": found.taken.tolist()}, found.given.tolist())
    with pytest.raises(Mismatch, match=r"20 differences(.|\n)*\.\.\. and 15 more"):
        compare(expected, due, taken=due.taken, given=due.given, payloads=[payload(TWO)] * 20)


def test_beats_of_every_stream_are_compared() -> None:
    due = Due({"a": [0, 1], "w": [3, 4]}, [8, 12])
    taken = {"a": [0, 1], "w": [3, 5]}
    with pytest.raises(Mismatch, match="beat 1 of w: expected to be taken in cycle 4, found 5"):
        compare(EXPECTED, due, taken=taken, given=GIVEN, payloads=[payload(ONE), payload(TWO)])
    with pytest.raises(Mismatch, match="nothing was compared: 0 beats"):
        compare(EXPECTED, due, taken={"a": [0, 1], "w": []}, given=GIVEN, payloads=[payload(ONE), payload(TWO)])


def test_a_result_reads_as_its_unit_has_it() -> None:
    expected = [Expected(1, "low bit", 0, 0, lambda payload: payload & 1)]
    assert compare(expected, Due({"i": [0]}, [1]), taken={"i": [0]}, given=[1], payloads=[3]) == 2
    with pytest.raises(Mismatch, match="expected 1 in cycle 1, found 0 in cycle 1"):
        compare(expected, Due({"i": [0]}, [1]), taken={"i": [0]}, given=[1], payloads=[2])


def test_a_result_is_unpacked_from_its_payload() -> None:
    assert Result.unpack(0x3_7FC00000) == Result(0x7FC00000, True, True)
    assert Result.unpack(0x1_7FC00000) == Result(0x7FC00000, True, False)
