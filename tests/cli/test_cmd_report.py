"""`amxfp4 report` as a user meets it."""

from functools import partial
from pathlib import Path

import pytest
from helpers import command_line, report_samples
from helpers.command_line import check_refused

from amxfp4.report import still

call = partial(command_line.call, "report")

pytest.importorskip("plotly", reason="the extra report is not installed")


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_a_page_and_its_pictures(folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
    report_samples.write(folder)
    Path("build/sweep/sweep.json").unlink()
    study = Path("build/accuracy/accuracy.json")
    study.write_text(study.read_text().replace('"quick": false', '"quick": true'))
    assert call("-o", "out") == 0
    captured = capsys.readouterr()
    assert captured.out.startswith("Yes for AMXFP4-X2 × MXFP4-UE5M3 and AMXFP4-X2 at every number of lanes")
    assert "`amxfp4 sweep` measures it" in captured.err
    assert "`amxfp4 accuracy --quick`" in captured.err
    files = sorted(path.name for path in Path("out").iterdir())
    assert files == sorted(
        ["index.html", "summary.md"]
        + [
            f"{key}.svg"
            for key in (
                *("cost-accuracy", "error-bits", "price-of-asymmetry", "ratio-lanes", "submodules", "delay", "energy"),
                "fpga",
            )
        ]
    )
    text = Path("out/index.html").read_text()
    assert "<strong>Yes for AMXFP4&#8209;X2 × MXFP4&#8209;UE5M3" in text
    assert "Area against clock period of every pipeline is left out" in text


def test_other_files(folder: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]) -> None:
    monkeypatch.setattr(still, "write", lambda chart, path: None)
    report_samples.write(folder)
    for name in ("area", "accuracy"):
        Path(f"build/{name}/{name}.json").rename(f"{name}.json")
    assert call("-o", "out") == 2
    capsys.readouterr()
    assert call("-o", "out", "--area", "area.json", "--accuracy", "accuracy.json") == 0


@pytest.mark.parametrize(
    ("missing", "words", "says"),
    [
        ("area/area.json", (), "'build/area/area.json' is missing; `amxfp4 area` makes it"),
        ("accuracy/accuracy.json", (), "'build/accuracy/accuracy.json' is missing; `amxfp4 accuracy` makes it"),
        (None, ("--area", "none.json"), "'none.json' is missing"),
        (None, ("--nonsense",), "--nonsense"),
    ],
)
def test_a_mistake_is_one_line_and_status_2(
    folder: Path, missing: str | None, words: tuple[str, ...], says: str, capsys: pytest.CaptureFixture[str]
) -> None:
    report_samples.write(folder)
    Path("build/sweep/sweep.json").unlink()
    if missing:
        Path("build", missing).unlink()
    check_refused(call(*words), *capsys.readouterr(), says)
    assert not Path("build/report").exists()
