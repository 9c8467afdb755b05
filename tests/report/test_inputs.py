"""What the report reads, and what it says of what is missing or wrong."""

import json
from pathlib import Path

import pytest
from helpers import report_samples

from amxfp4.accuracy.choice import as_used
from amxfp4.errors import UsageError
from amxfp4.report import inputs
from amxfp4.report.measured_charts import measured_charts
from amxfp4.report.pair_table import pair_table


@pytest.fixture(autouse=True)
def folder(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    report_samples.write(tmp_path)
    monkeypatch.chdir(tmp_path)
    return tmp_path


def test_everything_is_read() -> None:
    found = inputs.read_inputs()
    assert found.library == "sample"
    assert (found.model, found.quick) == ("a sample model", False)
    assert found.lanes == [1, 8, 32]
    assert found.pairs[0] == ("MXFP4", "MXFP4")
    assert len(found.pairs) == 7
    assert len(found.units) == len(report_samples.area_records())
    assert len(found.swept) == 24
    assert len(found.fpga) == len(found.units)
    assert {case["rounding"] for case in found.cases} == {"nearest-away"}


def test_a_unit_is_the_exact_one_where_there_is_one() -> None:
    found = inputs.read_inputs()
    for pair in found.pairs:
        for lanes in found.lanes:
            unit = found.unit(pair, lanes)
            assert unit is not None
            assert (unit["activation"], unit["weight"], unit["lanes"]) == (*pair, lanes)
            assert unit["accumulator"] == ("fp32" if pair[0] == "MXFP4" else "exact")
    assert found.unit(("MXFP4", "MXFP4"), 2) is None


def test_accuracy_is_of_the_accumulator_where_that_was_measured() -> None:
    found = inputs.read_inputs()
    pair = ("AMXFP4-X2", "AMXFP4-X2")
    default = found.accuracy(pair, "fp32")
    assert default is not None and default["accumulate"] is None
    better = found.accuracy(pair, "exact", "least-error")
    assert better is not None and better["weight_encode"] == "least-error"
    found.cases.append({**default, "accumulate": "fp32"})
    exactly = found.accuracy(pair, "fp32")
    assert exactly is not None and exactly["accumulate"] == "fp32"
    assert found.accuracy(pair, "exact") is default
    assert found.accuracy(("AMXFP4-E4M3", "AMXFP4-E4M3")) is None


def test_all_else_is_held_against_mxfp4s_best_rule_and_nvfp4() -> None:
    found = inputs.read_inputs()
    assert [(case["label"], case["block_size"]) for case in found.baselines] == [("MXFP4, even", 32), ("NVFP4", 16)]
    assert all(case["rule"] is None for case in found.cases)
    assert found.accuracy(("NVFP4", "NVFP4")) == found.baselines[1]
    mxfp4 = found.accuracy(("MXFP4", "MXFP4"))
    assert mxfp4 is not None and mxfp4["label"] == "MXFP4"


def test_a_pair_in_blocks_of_16_has_its_own_accuracy() -> None:
    study = report_samples.study()
    in_16 = report_samples.case(as_used("AMXFP4-Z8/16"))
    inputs.ACCURACY.write_text(json.dumps(study | {"cases": [*study["cases"], in_16]}))
    found = inputs.read_inputs()
    assert found.accuracy(("AMXFP4-Z8/16", "AMXFP4-Z8/16")) == in_16
    assert found.accuracy(("AMXFP4-Z8", "AMXFP4-Z8")) is None


def test_a_study_from_before_rules_has_no_baselines() -> None:
    study = report_samples.study()
    new = {"rule", "tensor_scale", "rotation"}
    cases = [{key: case[key] for key in case.keys() - new} for case in study["cases"][: -len(report_samples.BASELINES)]]
    inputs.ACCURACY.write_text(json.dumps(study | {"cases": cases}))
    found = inputs.read_inputs()
    assert found.baselines == []
    assert {case["label"] for case in found.headline} == {"INT4 per token and channel"}
    assert len(found.cases) == len([case for case in cases if case["rounding"] == "nearest-away"])
    assert pair_table(found).count("\n") == 2 + len(found.pairs)
    assert [chart.key for chart in measured_charts(found)][:2] == ["cost-accuracy", "price-of-asymmetry"]


def test_a_sweep_stands_in_for_the_table() -> None:
    inputs.AREA.unlink()
    found = inputs.read_inputs()
    assert found.lanes == [1, 2, 4, 8, 16, 32]
    assert {unit["config"]["front_registers"] for unit in found.units if unit["lanes"] == 8} == {1}
    assert len(found.units) == 12


def test_a_sweep_in_another_library_is_not_mixed_in() -> None:
    records = [record | {"library": "other"} for record in report_samples.sweep_records()]
    inputs.SWEEP.write_text(json.dumps(records))
    assert inputs.read_inputs().swept == []


def test_what_is_optional_may_be_missing() -> None:
    inputs.SWEEP.unlink()
    inputs.FPGA.unlink()
    inputs.ENERGY.unlink()
    found = inputs.read_inputs()
    assert found.swept == found.fpga == found.energy == []


@pytest.mark.parametrize(("name", "command"), [("AREA", "amxfp4 area"), ("ACCURACY", "amxfp4 accuracy")])
def test_what_is_needed_and_missing_is_said_with_the_command(name: str, command: str) -> None:
    inputs.SWEEP.unlink()
    path: Path = getattr(inputs, name)
    path.unlink()
    with pytest.raises(UsageError, match=f"'{path}' is missing; `{command}` makes it"):
        inputs.read_inputs()


@pytest.mark.parametrize(
    ("name", "text", "command"),
    [
        ("AREA", "{", "amxfp4 area"),
        ("AREA", '{"a": 1}', "amxfp4 area"),
        ("AREA", "[1]", "amxfp4 area"),
        ("AREA", "[]", "amxfp4 area"),
        ("ACCURACY", "[]", "amxfp4 accuracy"),
        ("ACCURACY", '{"cases": []}', "amxfp4 accuracy"),
        ("SWEEP", "null", "amxfp4 sweep"),
        ("FPGA", '{"luts": 3}', "amxfp4 fpga"),
        ("ENERGY", "[3]", "amxfp4 energy"),
    ],
)
def test_another_file_is_said_with_the_command(name: str, text: str, command: str) -> None:
    if name == "AREA":
        inputs.SWEEP.unlink()
    getattr(inputs, name).write_text(text)
    with pytest.raises(UsageError, match=command):
        inputs.read_inputs()


def changed(name: str, path: tuple[int | str, ...], value: object) -> None:
    """Puts a value at a place within one of the files; the value `...` takes the place out."""
    file: Path = getattr(inputs, name)
    content = place = json.loads(file.read_text())
    *outer, last = path
    for key in outer:
        place = place[key]
    if value is ...:
        del place[last]
    else:
        place[last] = value
    file.write_text(json.dumps(content))


@pytest.mark.parametrize(
    ("name", "path", "value", "says"),
    [
        ("AREA", (3, "lanes"), "eight", r"'\S*area.json' \(Expected `int`, got `str` - at `\$\[3\].lanes`\)"),
        ("AREA", (0, "area_ge"), ..., "missing required field `area_ge`"),
        ("AREA", (0, "period_ps"), 0, "Expected `float` > 0.0"),
        ("AREA", (0, "config"), {"lanse": 3}, "no unit has the config of 'mac_mxfp4_x_mxfp4_l1_fp32'"),
        ("AREA", (0, "lanes"), 2, "'mac_mxfp4_x_mxfp4_l1_fp32' is not of the config beside it"),
        ("AREA", (0, "breakdown"), {"": "3"}, "breakdown"),
        ("AREA", (0, "activation"), "FP4", "is not of the config beside it"),
        ("SWEEP", (0, "registers_ge"), float("nan"), "malformed"),
        ("SWEEP", (0, "ratio_to_mxfp4"), [], "ratio_to_mxfp4"),
        ("ACCURACY", ("cases", 2, "end_to_end", "linear and attention"), {}, r"cosine_mean` - at `\$.cases\[2\]"),
        ("ACCURACY", ("cases", 0, "linear_layers_mean", "output"), "high", "Expected `float | null`, got `str`"),
        ("ACCURACY", ("cases", 0, "end_to_end", "linear", "cosine_error"), ..., "field `cosine_error`"),
        ("ACCURACY", ("cases", 0, "end_to_end", "linear", "to_nvfp4"), {"error": 0.1}, "missing .* `difference`"),
        ("ACCURACY", ("int4",), 3, r"Expected `array`, got `int` - at `\$.int4`"),
        ("ACCURACY", ("int4", 0, "group"), ..., r"missing required field `group` - at `\$.int4\[0\]`"),
        ("ACCURACY", ("model",), None, "Expected `str`, got `null`"),
        ("FPGA", (0, "luts"), 1.5, "Expected `int`, got `float`"),
        ("FPGA", (0, "device"), ..., "device"),
        ("ENERGY", (0, "energy_per_mac"), ..., "energy_per_mac"),
    ],
)  # fmt: skip
def test_a_place_that_is_wrong_is_said(name: str, path: tuple[int | str, ...], value: object, says: str) -> None:
    changed(name, path, value)
    with pytest.raises(UsageError, match=says) as caught:
        inputs.read_inputs()
    assert str(getattr(inputs, name)) in str(caught.value)


@pytest.mark.parametrize(
    "content", [b"\xff\xfe", b"[" * 100_000, b"[1e999]", b"[Infinity]", b'["\\ud800"]', b"", b"\0"]
)
def test_what_is_no_json_is_said(content: bytes) -> None:
    inputs.AREA.write_bytes(content)
    with pytest.raises(UsageError, match=r"area.json' .*; a file that `amxfp4 area` wrote is needed") as caught:
        inputs.read_inputs()
    assert "\n" not in str(caught.value)


def test_a_folder_is_said() -> None:
    with pytest.raises(UsageError, match=r"'build' is a folder; a file that `amxfp4 area` wrote is needed"):
        inputs.read_inputs(Path("build"))
