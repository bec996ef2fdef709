"""`make demo` as a new user runs it: a clean copy, a fresh environment, and once more."""

import os
import re
import shutil
import subprocess
import time
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]

pytestmark = [pytest.mark.slow, pytest.mark.timeout(1800)]


def _make_demo(folder: Path) -> str:
    environment = {
        name: value
        for name, value in os.environ.items()
        if not name.startswith(("LOREMILL_", "DAGSTER_", "VIRTUAL_ENV"))
    }
    done = subprocess.run(
        ["make", "demo"],
        cwd=folder,
        env=environment,
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-5000:] + done.stderr[-5000:]
    return done.stdout


def test_demo_from_a_clean_copy_and_again(tmp_path):
    copy = tmp_path / "loremill"
    listed = subprocess.run(
        ["git", "ls-files", "-z"], cwd=ROOT, capture_output=True, text=True, check=True
    )
    for name in filter(None, listed.stdout.split("\0")):
        (copy / name).parent.mkdir(parents=True, exist_ok=True)
        shutil.copy2(ROOT / name, copy / name)

    began = time.monotonic()
    first = _make_demo(copy)
    print(f"make demo, installation included: {time.monotonic() - began:.0f} s")
    report = Path(re.search(r"^Report: (.*)$", first, re.MULTILINE).group(1))
    assert report.is_relative_to(copy)
    page = report.read_text("utf-8")
    assert "bits per byte" in page
    assert "CC0" in page
    before, after = re.search(r"([\d.]+) before, ([\d.]+) after", first).groups()
    assert float(after) < float(before) / 2

    again = _make_demo(copy)
    assert "reused" in again
    assert "step " not in again.partition("After training")[0]
    assert f"Report: {report}" in again
