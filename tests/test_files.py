"""Files that are written whole or not at all, and files that cannot be read."""

import errno
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest

from amxfp4.errors import UsageError
from amxfp4.files import parse_json, read_json, read_text, reading, replacing, write_text


@pytest.mark.parametrize(("umask", "mode"), [(0o022, 0o644), (0o077, 0o600), (0o002, 0o664)])
def test_a_mode_is_what_the_umask_leaves(tmp_path: Path, umask: int, mode: int) -> None:
    before = os.umask(umask)
    try:
        write_text(tmp_path / "x.txt", "±")
    finally:
        os.umask(before)
    assert stat.S_IMODE((tmp_path / "x.txt").stat().st_mode) == mode
    assert (tmp_path / "x.txt").read_bytes() == "±".encode()


def test_a_name_may_be_as_long_as_the_file_system_takes(tmp_path: Path) -> None:
    longest = tmp_path / ("ä" * 126 + ".v")
    write_text(longest, "text")
    assert list(tmp_path.iterdir()) == [longest]
    with pytest.raises(UsageError, match="File name too long; a shorter name is needed"):
        write_text(tmp_path / ("a" * 262), "text")
    assert list(tmp_path.iterdir()) == [longest]


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EFBIG, errno.EIO])
def test_a_full_disk_leaves_what_was_there(tmp_path: Path, number: int) -> None:
    path = tmp_path / "x.txt"
    path.write_text("before")
    with (
        pytest.raises(UsageError, match=f"cannot write .*x.txt': {os.strerror(number)}; "),
        replacing(path) as temporary,
    ):
        temporary.write_text("half")
        raise OSError(number, os.strerror(number))
    assert path.read_text() == "before"
    assert list(tmp_path.iterdir()) == [path]


def test_errors_of_other_files_are_not_of_this_one(tmp_path: Path) -> None:
    with pytest.raises(FileNotFoundError), replacing(tmp_path / "x.txt"):
        (tmp_path / "none").read_bytes()
    assert not list(tmp_path.iterdir())


def test_a_device_is_not_replaced(tmp_path: Path) -> None:
    os.mkfifo(tmp_path / "pipe")
    with pytest.raises(UsageError, match=r"it is a device or a pipe; a file's name is needed"):
        write_text(tmp_path / "pipe", "text")
    assert stat.S_ISFIFO((tmp_path / "pipe").stat().st_mode)


def test_the_name_of_a_file_may_be_no_utf_8(tmp_path: Path) -> None:
    path = tmp_path / os.fsdecode(b"\xe4.txt")
    write_text(path, f"of {path.name}")
    assert path.read_bytes() == b"of \\udce4.txt"


@pytest.fixture
def gone(tmp_path: Path) -> Iterator[None]:
    """A working folder that was removed."""
    here = Path.cwd()
    folder = tmp_path / "gone"
    folder.mkdir()
    os.chdir(folder)
    folder.rmdir()
    yield
    os.chdir(here)


def test_a_working_folder_that_is_gone(gone: None) -> None:
    for name in ("x.txt", "deep/x.txt"):
        with pytest.raises(UsageError, match="No such file or directory; a writable folder is needed"):
            write_text(Path(name), "text")
    with pytest.raises(UsageError, match=r"there is no file 'x\.txt'; a text is needed"):
        read_text(Path("x.txt"), "a text")


@pytest.mark.parametrize(
    ("name", "says"),
    [
        ("none", "there is no file '.*none'; a text is needed"),
        ("file/none", "there is no file '.*none'; a text is needed"),
        ("", "' is a folder; a text is needed"),
        ("pipe", "pipe' is a device or a pipe; a text is needed"),
        ("a" * 300, r"(File name too long\)|there is no file .*); a text is needed"),
        ("latin", r"cannot read '.*latin' \(it is no UTF-8 text, from byte 3 on\); a text is needed"),
    ],
)
def test_what_cannot_be_read_is_one_sentence(tmp_path: Path, name: str, says: str) -> None:
    os.mkfifo(tmp_path / "pipe")
    (tmp_path / "file").touch()
    (tmp_path / "latin").write_bytes("abcä".encode("latin-1"))
    with pytest.raises(UsageError, match=says):
        read_text(tmp_path / name, "a text")


@pytest.mark.skipif(os.geteuid() == 0, reason="root may read everything")
def test_a_file_without_permission(tmp_path: Path) -> None:
    (tmp_path / "x.txt").touch(0o000)
    with pytest.raises(UsageError, match=r"cannot read '.*x.txt' \(Permission denied\); a text is needed"):
        read_text(tmp_path / "x.txt", "a text")


@pytest.mark.parametrize(
    ("error", "says"),
    [
        (MemoryError(), "there is too little memory for it"),
        (RecursionError("maximum recursion depth exceeded"), "maximum recursion depth exceeded"),
        (PermissionError(errno.EACCES, "Permission denied"), "Permission denied"),
        (ValueError("two\nlines. And more"), "two lines"),
        (ValueError(), "ValueError"),
    ],
)
def test_whatever_a_library_raises_is_one_sentence(tmp_path: Path, error: Exception, says: str) -> None:
    path = tmp_path / "x"
    path.touch()
    with pytest.raises(UsageError) as caught, reading(path, "a file"):
        raise error
    assert str(caught.value) == f"cannot read {str(path)!r} ({says}); a file is needed"


def test_json_is_checked_and_kept_whole(tmp_path: Path) -> None:
    path = tmp_path / "x.json"
    path.write_text('{"a": [1], "b": "±"}', encoding="utf-8")
    assert read_json(path, dict[str, object], "a file") == {"a": [1], "b": "±"}
    with pytest.raises(
        UsageError, match=r"x.json' \(Expected `int | array`, got `str` - at `\$\[...\]`\); a file is needed"
    ):
        read_json(path, dict[str, int | list[int]], "a file")
    for text in (b"NaN", b"[1e999]", b"", b"\xff", b"[" * 100_000, b"[1]]", b'{"a": 01}'):
        with pytest.raises(ValueError):
            parse_json(text, object)
