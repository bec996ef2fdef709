"""`loremill rate` as it is run: whom it sets against whom, a kill, and the tally."""

import http.client
import json
import os
import signal
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

import pyarrow.parquet as pq
import pytest
from typer.testing import CliRunner, Result

from dagster_project.cli import app
from pipeline.artifact import materialize, rewrite
from pipeline.ratings.votes import read
from tests.pipeline.ratings.contest import rows, table

Rate = Callable[..., Result]


def _model(data: Path, name: str, corpus: str, **other: Any) -> None:
    def train(folder: Path) -> dict[str, Any]:
        notes = {"spec": {"corpus": corpus}}
        (folder / "training.json").write_text(json.dumps(notes))
        return {}

    def sample(folder: Path) -> dict[str, Any]:
        made = table(rows(name, **other), rows(name, step=10, **other))
        pq.write_table(made, folder / "samples.parquet")
        return {}

    materialize(data / "models" / name, name, train)
    materialize(data / "samples" / name, name, sample)


@pytest.fixture
def data(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setenv("LOREMILL_DATA", str(tmp_path))
    _model(tmp_path, "owl-lstm", "owls")
    _model(tmp_path, "owl-gpt2", "owls")
    _model(tmp_path, "fox-gpt2", "foxes")
    _model(tmp_path, "owl-cold", "owls", temperature=0.1)
    return tmp_path


@pytest.fixture
def rate(data: Path) -> Rate:
    return lambda *arguments: CliRunner().invoke(app, ["rate", *arguments])


@pytest.mark.parametrize(
    ("arguments", "told"),
    [
        (["nobody"], "has no 'nobody'; there are: fox-gpt2, owl-cold"),
        (["owl-lstm"], "name another model of owls, human, or --against-step"),
        (["owl-lstm", "fox-gpt2"], "owl-lstm is of the corpus owls, fox-gpt2 of foxes"),
        (["owl-lstm", "owl-cold"], "no prompt, genre and setting"),
        (["owl-lstm", "--step", "7"], "no stories of step 7; there are: 10, 30"),
        (["owl-lstm", "owl-gpt2", "--against-step", "7"], "no stories of step 7"),
        (["owl-lstm", "human"], "has no 'owls'; there are: none"),
        (["owl-lstm", "owl-gpt2", "--rater", " "], "--rater: a name of 1 to 80"),
        (["owl-lstm", "--json"], "--json belongs to --tally"),
    ],
)
def test_a_mistake_is_one_line_and_exit_status_2(
    rate: Rate, arguments: list[str], told: str
) -> None:
    done = rate(*arguments)
    assert done.exit_code == 2
    assert told in done.stderr
    assert done.stderr.count("\n") == 1


def _served(data: Path, *arguments: str) -> tuple[subprocess.Popen[str], str]:
    process = subprocess.Popen(
        [sys.executable, "-c", "from dagster_project.cli import app; app()", "rate", *arguments],
        env=os.environ | {"LOREMILL_DATA": str(data)},
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    assert process.stdout is not None
    return process, process.stdout.readline().strip()


def _ask(address: str, what: str, said: dict[str, Any] | None = None) -> dict[str, Any]:
    parts = urlsplit(address)
    connection = http.client.HTTPConnection(parts.netloc, timeout=10)
    headers = {"Origin": f"http://{parts.netloc}", "Content-Type": "application/json"}
    method, body = ("GET", None) if said is None else ("POST", json.dumps(said))
    connection.request(method, f"{parts.path}{what}", body, headers)
    answer = json.loads(connection.getresponse().read())
    connection.close()
    assert isinstance(answer, dict)
    return answer


def test_a_killed_server_loses_no_vote_and_the_tally_counts_them(data: Path, rate: Rate) -> None:
    contest = ["owl-lstm", "owl-gpt2", "--rater", "ines"]
    process, address = _served(data, *contest)
    try:
        pair = _ask(address, "next")
        for choice in ("left", "tie"):
            pair = _ask(address, "vote", {"number": pair["number"], "choice": choice})
    finally:
        process.send_signal(signal.SIGKILL)
        process.communicate(timeout=20)
    assert [vote.choice for vote in read(data / "ratings/owls.jsonl")] == ["left", "tie"]

    process, address = _served(data, *contest)
    try:
        again = _ask(address, "next")
        assert (again["done"], again["number"]) == (2, pair["number"])
    finally:
        process.send_signal(signal.SIGINT)
        _, errors = process.communicate(timeout=20)
    assert process.returncode == 0
    assert "Traceback" not in errors

    (found,) = json.loads(rate("owl-gpt2", "--tally", "--json").stdout)
    assert found["pairs"] == 2
    assert (found["won_by_first"] + found["won_by_second"], found["ties"]) == (1, 1)
    assert list(found["by_rater"]) == ["ines"]
    assert "owl-gpt2, step 30 won" in rate("owl-lstm", "owl-gpt2", "--tally").stdout
    assert rate("owl-lstm", "fox-gpt2", "--tally").stdout == "There is no vote yet.\n"

    def edit(folder: Path) -> None:  # as a takedown does
        (folder / "samples.parquet").unlink()
        pq.write_table(table(rows("owl-gpt2", finished=False)), folder / "samples.parquet")

    rewrite(data / "samples/owl-gpt2", edit)
    (found,) = json.loads(rate("owl-gpt2", "--tally", "--json").stdout)
    assert (found["pairs"], found["votes_on_earlier_versions"]) == (0, 2)


def test_a_damaged_file_of_votes_is_named(data: Path, rate: Rate) -> None:
    path = data / "ratings/owls.jsonl"
    path.parent.mkdir()
    path.write_text("nonsense\n")
    for arguments in (["--tally"], []):
        done = rate("owl-lstm", "owl-gpt2", *arguments)
        assert done.exit_code == 2
        assert "owls.jsonl, line 1: is no vote" in done.stderr
