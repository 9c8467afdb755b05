"""The runner: which proofs, what it reports, when it fails."""

import json
import subprocess
import sys
from collections.abc import Callable, Sequence
from pathlib import Path

import pytest

from amxfp4.cli import cmd_formal
from amxfp4.errors import UsageError
from amxfp4.formal import run
from amxfp4.formal.proof import Proof, Verdict

GOOD = Verdict("element-product", True, True, 4, "", 0.5, 0.1)
NOT_PROVEN = Verdict("element-product", False, True, 2, "claim 2 does not hold for x = 1", 0.5, 0.1)
NOT_REFUTED = Verdict("element-product", True, False, 4, "", 0.5, 0.1)


def test_names_are_told_apart_and_modules_complete() -> None:
    proofs = run.all_proofs()
    names = [proof.name for proof in proofs]
    assert len(set(names)) == len(names) >= 30
    assert all(name == name.lower() and " " not in name for name in names)
    assert all(proof.statement and proof.method and proof.scope and proof.twin for proof in proofs)
    folder = Path(run.__file__).parent
    modules = {path.stem for path in folder.glob("*.py") if "def proofs()" in path.read_text()} - {"run"}
    assert modules == set(run.MODULES)


def test_slow_proofs_run_when_asked_for() -> None:
    assert not any(proof.full for proof in run.chosen_proofs([], full=False))
    assert len(run.chosen_proofs([], full=True)) == len(run.all_proofs())
    slow = next(proof.name for proof in run.all_proofs() if proof.full)
    assert [proof.name for proof in run.chosen_proofs([slow], full=False)] == [slow]
    assert {proof.name for proof in run.chosen_proofs(["scale-", "direct-"], full=False)} >= {
        "scale-decode",
        "direct-term",
    }


def test_an_unknown_name_is_refused_with_the_names_there_are() -> None:
    with pytest.raises(UsageError, match=r"no proof's name contains 'bogus'; there are: .*element-product"):
        run.chosen_proofs(["element", "bogus"], full=False)


def test_proofs_run_side_by_side() -> None:
    proofs = run.chosen_proofs(["element-product", "direct-product"], full=False)
    seen: list[Verdict] = []
    verdicts = run.prove_all(proofs, jobs=2, done=seen.append)
    assert [verdict.proof for verdict in verdicts] == [proof.name for proof in proofs]
    assert sorted(seen, key=str) == sorted(verdicts, key=str)
    assert all(verdict.good for verdict in verdicts)


@pytest.mark.parametrize(
    "verdict, status, words",
    [
        (GOOD, 0, ("4 claims", "twin refuted")),
        (NOT_PROVEN, 1, ("FAILED", "claim 2 does not hold for x = 1")),
        (NOT_REFUTED, 1, ("NOT REFUTED", "so is its broken twin")),
    ],
)
def test_report_and_exit_status(
    verdict: Verdict,
    status: int,
    words: tuple[str, ...],
    monkeypatch: pytest.MonkeyPatch,
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
) -> None:
    def decided(proofs: Sequence[Proof], *, jobs: int, done: Callable[[Verdict], None]) -> list[Verdict]:
        done(verdict)
        return [verdict for _ in proofs]

    monkeypatch.setattr(run, "prove_all", decided)
    monkeypatch.setattr(run, "REPORT", tmp_path / "formal.json")
    assert cmd_formal.command.main(["element-product"], standalone_mode=False) == status
    output = capsys.readouterr().out
    assert all(word in output for word in words)
    (entry,) = json.loads((tmp_path / "formal.json").read_text())["proofs"]
    assert entry["name"] == "element-product" and entry["claims"] == verdict.claims
    assert entry["proven"] == verdict.proven and entry["refuted"] == verdict.refuted
    assert entry["statement"] and entry["twin"] and entry["seconds"] == 0.5


def test_a_missing_z3_is_one_line() -> None:
    program = "import sys; sys.modules['z3'] = None; from amxfp4.cli.main import main;main(['formal', 'element'])"
    done = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True)
    assert done.returncode == 2
    assert done.stderr == "error: the Python package 'z3' is not installed; this command needs amxfp4[formal]\n"
