"""The benchmarks run: they reach into the product, which changes beneath them."""

import re
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


@pytest.mark.slow
def test_the_traces_benchmark_runs_on_a_small_corpus() -> None:
    done = subprocess.run(
        [sys.executable, "benchmarks/trace.py", "--megabytes", "1", "--turns", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for asked in (
        "byte 8",
        "line ",
        "a sentence, letter by letter",
        "with another quote",
        "not there",
    ):
        for files in ("warm", "cold"):
            assert re.search(rf"^\| [^|]*{asked}[^|]* \| {files} \|", done.stdout, re.MULTILINE)


@pytest.mark.slow
def test_the_copies_benchmark_runs_on_a_small_corpus() -> None:
    done = subprocess.run(
        [
            *[sys.executable, "benchmarks/copies.py"],
            *["--megabytes", "1", "--turns", "1", "--stories", "1"],
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr  # the index and plain search have found the same
    for asked in ("nothing copied", "40 words of it copied", "copied as a whole"):
        assert re.search(rf"^\| {asked} \| \d+\.\d\d \| \d+ \| [1-9]", done.stdout, re.MULTILINE)
    assert re.search(r"^\| `loremill copied`[^|]* \| \d", done.stdout, re.MULTILINE)


@pytest.mark.slow
def test_the_recurrent_recipes_benchmark_runs_a_few_steps() -> None:
    done = subprocess.run(
        [sys.executable, "benchmarks/recurrent.py", "--steps", "2", "--turns", "1"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for preset in ("char-lstm", "word-lstm", "char-gru", "char-lstm2"):
        assert re.search(rf"^\| {preset} \| (bfloat16|float32) \| [1-9]", done.stdout, re.MULTILINE)


@pytest.mark.slow
def test_the_samples_benchmark_draws_a_few_stories() -> None:
    sizes = ["--stories", "3", "--stories-one-by-one", "2", "--new", "6", "--turns", "1"]
    done = subprocess.run(
        [sys.executable, "benchmarks/samples.py", "--models", "char-lstm", "nano", *sizes],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for model in ("char-lstm", "nano"):
        for side in ("ours", "TextGenerationPipeline"):
            row = rf"^\| {model} \| {side} \| [\d.e+]+ \| [1-9][\d,]* \|"
            assert re.search(row, done.stdout, re.MULTILINE)


@pytest.fixture
def tales(tmp_path: Path) -> Path:
    """A text of some paragraphs."""
    lines = [
        f"On day {day} the ferryman counts {day * 7 % 13} lanterns, and {day * 5 % 11} go out."
        for day in range(600)
    ]
    (tmp_path / "tales.txt").write_text("\n\n".join(lines))
    return tmp_path / "tales.txt"


@pytest.mark.slow
def test_the_trainings_benchmark_runs_on_a_small_text(tales: Path) -> None:
    sizes = ["--size", "nano", "--block", "32", "--steps", "4", "--window", "2", "--turns", "1"]
    done = subprocess.run(
        [sys.executable, "benchmarks/training.py", str(tales), *sizes, "--no-compile"],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"^\| ours \| [\d,]+ \|", done.stdout, re.MULTILINE)
    assert re.search(r"^\| ours, fp32 \| [\d,]+ \| \d", done.stdout, re.MULTILINE)


@pytest.mark.slow
def test_tiny_shakespeares_benchmark_runs_a_few_steps(tales: Path) -> None:
    done = subprocess.run(
        [
            *[sys.executable, "benchmarks/tiny_shakespeare.py", str(tales)],
            *["--steps", "4", "--turns", "1"],
        ],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    assert re.search(r"^\| ours \| [\d,]+ \| [\d,]+ \| [1-9]\.\d{3} \|", done.stdout, re.MULTILINE)


@pytest.mark.slow
@pytest.mark.timeout(900)
def test_perplexitys_benchmark_runs_on_a_small_text(tales: Path) -> None:
    sizes = ["--size", "nano", "--kilobytes", "6", "--texts", "stories", "--turns", "1"]
    done = subprocess.run(
        [sys.executable, "benchmarks/perplexity.py", str(tales), *sizes],
        cwd=ROOT,
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stderr
    for side in ("ours", "documentation", "ours, apart", "lm-eval"):
        assert re.search(rf"^\| stories \| {side} \| [1-9][\d,]* \|", done.stdout, re.MULTILINE)
