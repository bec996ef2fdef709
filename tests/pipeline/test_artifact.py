"""Finished outputs: atomic, reused, resumable; whatever goes wrong, the last good one stands."""

import errno
import json
import os
import signal
import subprocess
import sys
import threading
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import pytest

from pipeline.artifact import (
    MANIFEST,
    Artifact,
    NoRoomError,
    code_version,
    discard,
    fingerprint,
    materialize,
    prune,
    rewrite,
    write_atomically,
)

ONE, TWO, THREE = (fingerprint(inputs=number) for number in (1, 2, 3))


def writes(text: str, **figures: Any) -> Callable[[Path], Mapping[str, Any]]:
    def build(folder: Path) -> Mapping[str, Any]:
        (folder / "part").mkdir()
        (folder / "part" / "train.txt").write_text(text)
        return figures

    return build


def fails(error: BaseException) -> Callable[[Path], Mapping[str, Any]]:
    def build(folder: Path) -> Mapping[str, Any]:
        (folder / "half.txt").write_text("half")
        raise error

    return build


def never(folder: Path) -> Mapping[str, Any]:
    raise AssertionError("built again")


def read(root: Path) -> str:
    artifact = Artifact.load(root)
    assert artifact is not None
    return (artifact.folder / "part" / "train.txt").read_text()


def test_an_output_is_what_was_built(tmp_path: Path) -> None:
    built = materialize(tmp_path, ONE, writes("story", words=1))
    assert Artifact.load(tmp_path) == built
    assert (built.figures, built.files) == ({"words": 1}, {"part/train.txt": 5})
    assert (built.fingerprint, built.reused) == (ONE, False)
    assert read(tmp_path) == "story"


def test_what_has_not_changed_is_reused(tmp_path: Path) -> None:
    built = materialize(tmp_path, ONE, writes("story"))
    again = materialize(tmp_path, ONE, never)
    assert again.reused
    assert again.data_version == built.data_version


def test_a_new_fingerprint_is_built_and_the_one_before_last_goes(tmp_path: Path) -> None:
    first = materialize(tmp_path, ONE, writes("one"))
    second = materialize(tmp_path, TWO, writes("two"))
    assert first.folder.is_dir()  # whoever reads it now may go on
    materialize(tmp_path, THREE, writes("three"))
    assert not first.folder.exists()
    assert second.folder.is_dir()
    assert read(tmp_path) == "three"


def test_the_data_version_is_of_the_contents_alone(tmp_path: Path) -> None:
    a = materialize(tmp_path / "a", ONE, writes("same", seconds=1))
    b = materialize(tmp_path / "b", TWO, writes("same", seconds=2))
    c = materialize(tmp_path / "c", ONE, writes("else"))
    assert a.data_version == b.data_version != c.data_version


@pytest.mark.parametrize(
    "error", [OSError(errno.ENOSPC, "No space left on device"), KeyboardInterrupt()]
)
def test_a_failure_leaves_the_last_good_output(tmp_path: Path, error: BaseException) -> None:
    materialize(tmp_path, ONE, writes("good"))
    with pytest.raises(type(error)):
        materialize(tmp_path, TWO, fails(error))
    assert read(tmp_path) == "good"
    assert sorted(path.name for path in tmp_path.iterdir()) == sorted([ONE[:12], MANIFEST])
    assert materialize(tmp_path, ONE, never).reused


@pytest.mark.skipif(not Path("/dev/full").exists(), reason="needs /dev/full, which Linux has")
def test_a_full_disk_leaves_the_last_good_output(tmp_path: Path) -> None:
    def build(folder: Path) -> Mapping[str, Any]:
        (folder / "train.txt").symlink_to("/dev/full")
        (folder / "train.txt").write_text("story")
        return {}

    materialize(tmp_path, ONE, writes("good"))
    with pytest.raises(NoRoomError, match="free some space"):
        materialize(tmp_path, TWO, build)
    assert read(tmp_path) == "good"


def test_a_disk_full_at_the_manifest_leaves_the_last_good_output(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def full(descriptor: int) -> None:
        raise OSError(errno.ENOSPC, "No space left on device")

    materialize(tmp_path, ONE, writes("good"))
    with monkeypatch.context() as patch:
        patch.setattr(os, "fsync", full)
        with pytest.raises(NoRoomError, match="free some space"):
            materialize(tmp_path, TWO, writes("new"))
    assert read(tmp_path) == "good"
    assert not [path for path in tmp_path.iterdir() if path.name.startswith(".")]
    materialize(tmp_path, TWO, writes("new"))
    assert read(tmp_path) == "new"


def test_a_killed_build_leaves_the_last_good_output(tmp_path: Path) -> None:
    materialize(tmp_path, ONE, writes("good"))
    child = subprocess.Popen(
        [
            sys.executable,
            "-c",
            "import sys, time; from pathlib import Path\n"
            "from pipeline.artifact import materialize\n"
            "def build(folder):\n"
            "    (folder / 'half.txt').write_text('half'); time.sleep(60)\n"
            "materialize(Path(sys.argv[1]), sys.argv[2], build)",
            str(tmp_path),
            TWO,
        ]
    )
    try:
        deadline = time.monotonic() + 30
        while not (tmp_path / TWO[:12] / "half.txt").exists():
            assert child.poll() is None
            assert time.monotonic() < deadline
            time.sleep(0.02)
    finally:
        child.send_signal(signal.SIGKILL)
        child.wait()
    assert read(tmp_path) == "good"
    built = materialize(tmp_path, TWO, writes("new"))
    assert list(built.files) == ["part/train.txt"]


def test_a_resumable_build_gets_back_what_it_left(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        materialize(tmp_path, ONE, fails(RuntimeError()), resumable=True)
    assert Artifact.load(tmp_path) is None

    def resume(folder: Path) -> Mapping[str, Any]:
        assert (folder / "half.txt").read_text() == "half"
        (folder / "half.txt").write_text("whole")
        return {}

    built = materialize(tmp_path, ONE, resume, resumable=True)
    assert (built.folder / "half.txt").read_text() == "whole"


def test_what_another_fingerprint_left_is_not_resumed(tmp_path: Path) -> None:
    with pytest.raises(RuntimeError):
        materialize(tmp_path, ONE, fails(RuntimeError()), resumable=True)
    built = materialize(tmp_path, TWO, writes("new"), resumable=True)
    assert list(built.files) == ["part/train.txt"]
    assert not (tmp_path / ONE[:12]).exists()


@pytest.mark.parametrize("damage", ["missing", "truncated", "manifest cut", "manifest of another"])
def test_a_damaged_output_is_built_again(tmp_path: Path, damage: str) -> None:
    built = materialize(tmp_path, ONE, writes("story"))
    text, manifest = built.folder / "part" / "train.txt", tmp_path / MANIFEST
    match damage:
        case "missing":
            text.unlink()
        case "truncated":
            text.write_text("sto")
        case "manifest cut":
            manifest.write_bytes(manifest.read_bytes()[:40] + b"\xff")
        case "manifest of another":
            manifest.write_text(json.dumps(["version"]))
    assert Artifact.load(tmp_path) is None
    assert not materialize(tmp_path, ONE, writes("story")).reused
    assert read(tmp_path) == "story"


def test_writing_atomically_replaces_or_leaves(tmp_path: Path) -> None:
    path = tmp_path / "manifest.json"
    write_atomically(path, b"old")
    write_atomically(path, b"new")
    assert path.read_bytes() == b"new"
    with pytest.raises(TypeError):
        write_atomically(path, "no bytes")  # type: ignore[arg-type]
    assert path.read_bytes() == b"new"
    assert list(tmp_path.iterdir()) == [path]


def test_a_fingerprint_ignores_order_and_sees_values() -> None:
    assert fingerprint(a=1, b={"x": 1, "y": 2}) == fingerprint(b={"y": 2, "x": 1}, a=1)
    assert fingerprint(a=1) != fingerprint(a="1")
    assert fingerprint(a=[1, 2]) != fingerprint(a=[2, 1])


def test_the_code_version_ignores_comments_and_sees_code(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.syspath_prepend(str(tmp_path))
    package = tmp_path / "milled_by_test"
    package.mkdir()
    (package / "__init__.py").write_text("")
    module, template = package / "rule.py", package / "page.html"
    versions = []
    for code, html in (
        ("LEAST = 25\n", "<p>"),
        ("# why so\nLEAST  =  25\n", "<p>"),
        ("LEAST = 26\n", "<p>"),
        ("LEAST = 26\n", "<div>"),
    ):
        module.write_text(code)
        template.write_text(html)
        versions.append(code_version("milled_by_test"))
    assert versions[0] == versions[1]
    assert len(set(versions)) == 3
    with pytest.raises(ModuleNotFoundError):
        code_version("no_such_module_here")


def test_a_second_build_waits_for_the_first_and_reuses_it(tmp_path: Path) -> None:
    began, release = threading.Event(), threading.Event()
    built: list[Artifact] = []

    def slow(folder: Path) -> Mapping[str, Any]:
        began.set()
        assert release.wait(10)
        return writes("first")(folder)

    first = threading.Thread(target=lambda: built.append(materialize(tmp_path, ONE, slow)))
    first.start()
    assert began.wait(10)
    second = threading.Thread(
        target=lambda: built.append(materialize(tmp_path, ONE, writes("second")))
    )
    second.start()
    second.join(0.3)
    assert second.is_alive()
    release.set()
    for thread in (first, second):
        thread.join(10)
    assert [artifact.reused for artifact in built] == [False, True]
    assert read(tmp_path) == "first"


def test_rewriting_keeps_the_fingerprint_and_leaves_no_other_version(tmp_path: Path) -> None:
    def build(folder: Path) -> dict[str, int]:
        (folder / "kept.txt").write_text("stays")
        (folder / "text.txt").write_text("two\nlines")
        return {"lines": 2, "files": 2}

    def edit(folder: Path) -> dict[str, int]:
        (folder / "text.txt").unlink()
        (folder / "text.txt").write_text("one")
        return {"lines": 1}

    root = tmp_path / "thing"
    before = materialize(root, "a" * 64, build)
    after = rewrite(root, edit)
    assert after is not None
    assert after.fingerprint == before.fingerprint
    assert after.data_version != before.data_version
    assert after.figures == {"lines": 1, "files": 2}
    assert [path.name for path in root.iterdir() if path.is_dir()] == [after.version]
    assert (after.folder / "kept.txt").read_text() == "stays"
    assert materialize(root, "a" * 64, build).reused
    assert Artifact.load(root) == after
    assert after.was(before.data_version)
    assert not before.was(after.data_version)
    again = rewrite(root, edit)
    assert again is not None
    assert again.data_version == after.data_version
    assert again.was(before.data_version)
    anew = materialize(root, "c" * 64, build)  # of the same bytes as the first, by chance
    assert anew.rewritten_from == ()


def test_a_rewriting_that_fails_leaves_the_good_output(tmp_path: Path) -> None:
    root = tmp_path / "thing"
    before = materialize(root, "b" * 64, lambda folder: {"n": (folder / "a").write_text("x")})

    def edit(folder: Path) -> None:
        (folder / "a").unlink()
        raise ValueError("no")

    with pytest.raises(ValueError, match="no"):
        rewrite(root, edit)
    assert Artifact.load(root) == before
    assert [path.name for path in root.iterdir() if path.is_dir()] == [before.version]
    assert rewrite(tmp_path / "none", edit) is None


def _shorter(folder: Path) -> dict[str, int]:
    (folder / "part" / "train.txt").unlink()
    (folder / "part" / "train.txt").write_text("new")
    return {"words": 1}


def test_where_there_are_no_hard_links_the_copy_is_one(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def build(folder: Path) -> dict[str, int]:
        (folder / "kept.txt").write_text("stays")
        return dict(writes("old text", words=2)(folder))

    def no_links(source: Path, target: Path) -> None:
        raise OSError(number, os.strerror(number), str(source))

    for number in (errno.EPERM, errno.ENOTSUP, errno.EXDEV):
        root = tmp_path / str(number)
        before = materialize(root, ONE, build)
        with monkeypatch.context() as patch:
            patch.setattr(os, "link", no_links)
            after = rewrite(root, _shorter)
        assert after is not None
        assert read(root) == "new"
        assert (after.folder / "kept.txt").read_text() == "stays"
        assert not before.folder.exists()
    number = errno.ENOSPC
    with monkeypatch.context() as patch:
        patch.setattr(os, "link", no_links)
        with pytest.raises(NoRoomError):
            rewrite(root, _shorter)


@pytest.mark.parametrize("clear", [lambda root: rewrite(root, _shorter), prune, discard])
def test_an_earlier_version_that_cannot_be_removed_is_an_error_where_none_may_stay(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, clear: Callable[[Path], object]
) -> None:
    first = materialize(tmp_path, ONE, writes("one"))
    unlink = os.unlink

    def refuse(path: str, *, dir_fd: int | None = None) -> None:
        if dir_fd is not None:  # only `rmtree` goes by an open folder
            raise PermissionError(errno.EPERM, "Operation not permitted", path)
        unlink(path)

    with monkeypatch.context() as patch:
        patch.setattr(os, "unlink", refuse)
        materialize(tmp_path, TWO, writes("two"))
        materialize(tmp_path, THREE, writes("three"))  # for a build it may stay
        assert first.folder.is_dir()
        with pytest.raises(PermissionError, match=r"train\.txt"):
            clear(tmp_path)
    clear(tmp_path)
    left = [path.name for path in tmp_path.iterdir() if path.is_dir()]
    made = Artifact.load(tmp_path)
    assert left == ([made.version] if made else [])
