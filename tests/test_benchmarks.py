"""The benchmarks run: they reach into the product, which changes beneath them."""

import subprocess
import sys
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]


@pytest.mark.slow
def test_the_crawls_benchmark_runs_on_a_small_wiki() -> None:
    done = subprocess.run(
        [sys.executable, "benchmarks/crawl.py", "--few", "30", "--many", "60", "--turns", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert "| 30 | pages a second |" in done.stdout
    assert "| 60 | pages a second |" in done.stdout
