"""Results kept by content."""

from pathlib import Path
from typing import Any

from amxfp4.synth.cache import cached, digest


def test_a_digest_tells_texts_apart() -> None:
    assert digest(["a", "bc"]) == digest(["a", "bc"])
    assert len({digest(["a", "bc"]), digest(["ab", "c"]), digest(["bc", "a"]), digest(["abc"])}) == 4


def test_a_result_is_made_once(tmp_path: Path) -> None:
    made: list[int] = []

    def compute() -> dict[str, Any]:
        made.append(len(made))
        return {"number": made[-1]}

    folder = tmp_path / "cache"
    assert cached(folder, "unit", "key1", compute) == ({"number": 0}, False)
    assert cached(folder, "unit", "key1", compute) == ({"number": 0}, True)
    assert cached(folder, "unit", "key2", compute) == ({"number": 1}, False)
    assert cached(None, "unit", "key1", compute) == ({"number": 2}, False)
    file = folder / "unit-key1.json"
    file.write_text("half of a fi")
    assert cached(folder, "unit", "key1", compute) == ({"number": 3}, False)
    assert cached(folder, "unit", "key1", compute) == ({"number": 3}, True)
    file.write_text('{"key": "of another unit whose key begins alike", "result": {}}')
    assert cached(folder, "unit", "key1", compute) == ({"number": 4}, False)
