"""`loremill rate MODEL OTHER`: a person rates stories blind, in pairs, on a page of this machine.

Which pairs are left is in the votes, so the same command goes on where it stopped. The tally is
shown where it is asked for: on the page at its end, in the terminal with `--tally`.
"""

import getpass
import json as json_text
import webbrowser
from collections.abc import Sequence
from pathlib import Path
from typing import Annotated

import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
import typer

from crawlers.franchise import data_root
from dagster_project.commands.finished import finished
from dagster_project.commands.speech import refuse, say
from pipeline.artifact import Artifact
from pipeline.model_spec import ModelError
from pipeline.ratings import speech
from pipeline.ratings.server import Server
from pipeline.ratings.session import Session
from pipeline.ratings.stories import (
    HUMAN,
    Pair,
    Writer,
    pairs_of_models,
    pairs_with_people,
    steps_of,
)
from pipeline.ratings.tally import Tally, tallies
from pipeline.ratings.versions import versions
from pipeline.ratings.votes import path_of, read
from pipeline.reports.text import counted, one_line, plain
from pipeline.takedown.models import corpus_of

#: Characters of a rater's name.
_NAME = 80


def rate(
    model: Annotated[str, typer.Argument(help="name of a story model, e.g. batman-gpt2")],
    other: Annotated[
        str | None,
        typer.Argument(help=f"another model of its corpus, or {HUMAN}; default: the same model"),
    ] = None,
    step: Annotated[
        int | None, typer.Option(min=0, help="checkpoint of MODEL; default: its last")
    ] = None,
    against_step: Annotated[
        int | None, typer.Option(min=0, help="checkpoint of OTHER; default: its last")
    ] = None,
    rater: Annotated[str | None, typer.Option(help="who rates; default: the login name")] = None,
    seed: Annotated[int, typer.Option(min=0, help="of the order of pairs, and of the sides")] = 0,
    port: Annotated[int, typer.Option(min=0, max=65535, help="0: any that is free")] = 0,
    browser: Annotated[bool, typer.Option("--open", help="open the page in a browser")] = False,
    tally: Annotated[
        bool, typer.Option("--tally", help="print what the votes say; without OTHER, all of MODEL")
    ] = False,
    json: Annotated[bool, typer.Option("--json", help="with --tally: print JSON")] = False,
) -> None:
    """Rate stories of two models blind, or print what the votes say.

    Opens a page on this machine alone: two stories for the same prompt side by side, without names;
    keys 1, 2, 0 and s, or a touch. Each vote is kept at once, in ratings/ of the data root, and no
    pair is shown twice to one rater. Ctrl-C ends it; the same command goes on. Exit status 2 for
    bad input: an unknown model, models of two corpora, no prompt and setting in common.
    """
    if json and not tally:
        refuse(["--json belongs to --tally"])
    samples = finished("samples", model)
    corpus = _corpus(model)
    votes = path_of(data_root(), corpus)
    current = versions(data_root(), corpus)
    try:
        if tally:
            named = {model, other or model}
            found = [one for one in tallies(read(votes), current) if _is_of(one, named)]
            _print(found, json)
            return
        first = _writer(model, samples, step)
        pairs = _pairs(first, samples, corpus, other or model, against_step)
        session = Session(pairs, votes, _rater(rater), current, seed)
        _serve(session, port, votes, browser)
    except (ModelError, OSError) as error:
        refuse([error])


def _corpus(model: str) -> str:
    made = finished("models", model)
    corpus = corpus_of(made)
    if corpus is None:
        refuse([f"{made.folder / 'training.json'} names no corpus; materialize {model}/model"])
    return corpus


def _writer(model: str, samples: Artifact, step: int | None) -> Writer:
    """The model as of a step, its last where none is asked for. Raises ModelError."""
    steps = steps_of(_stories(samples))
    if not steps or (step is not None and step not in steps):
        there = ", ".join(str(one) for one in steps) or "none"
        raise ModelError(f"{model} has no stories of step {step}; there are: {there}")
    return Writer(model, steps[-1] if step is None else step)


def _pairs(
    first: Writer, samples: Artifact, corpus: str, other: str, against_step: int | None
) -> list[Pair]:
    """What is to be rated. Raises ModelError."""
    ours = (first, samples.data_version, _stories(samples))
    if other == HUMAN:
        if against_step is not None:
            raise ModelError(f"--against-step is of a model; {HUMAN} text has no checkpoints")
        texts = finished("corpora", corpus)
        return pairs_with_people(ours, _people(texts.folder, ours[2], first), texts.data_version)
    if (theirs := _corpus(other)) != corpus:
        raise ModelError(f"{first.name} is of the corpus {corpus}, {other} of {theirs}")
    others = finished("samples", other)
    second = _writer(other, others, against_step)
    if second == first:
        steps = ", ".join(str(one) for one in steps_of(ours[2]))
        raise ModelError(
            f"{first} against itself: name another model of {corpus}, {HUMAN}, or --against-step "
            f"with another of its checkpoints, which are: {steps}"
        )
    return pairs_of_models(ours, (second, others.data_version, _stories(others)))


def _people(corpus: Path, samples: pa.Table, writer: Writer) -> list[str]:
    from pipeline.quality.human import human_passages  # torch takes its time

    alike = samples.filter(pc.equal(samples["step"], writer.step))
    with_prompt = any(alike["include_prompt"].to_pylist())
    passages = human_passages(corpus, alike, 0)
    return [one.prompt + one.text if with_prompt else one.text for one in passages]


def _stories(samples: Artifact) -> pa.Table:
    return pq.read_table(samples.folder / "samples.parquet")


def _rater(name: str | None) -> str:
    said = one_line(getpass.getuser() if name is None else name, _NAME + 1)
    if not said or len(said) > _NAME:
        raise ModelError(f"--rater: a name of 1 to {_NAME} characters")
    return said


def _serve(session: Session, port: int, votes: Path, browser: bool) -> None:
    shown = session.next()
    if shown is None:
        say("every pair was rated already; --tally says what the votes say")
        return
    with Server(session, port) as server:
        left = counted(shown.total - shown.done, "pair")
        say(f"{left} to rate; votes go to {votes}. Ctrl-C ends it, nothing is lost.")
        typer.echo(server.address)
        if browser:
            webbrowser.open(server.address)
        try:
            server.serve_forever()
        except KeyboardInterrupt:
            say("ended")


def _is_of(tally: Tally, named: set[str]) -> bool:
    return named <= {tally.first.name, tally.second.name}


def _print(found: Sequence[Tally], json: bool) -> None:
    if json:
        typer.echo(json_text.dumps([one.as_dict() for one in found], indent=2))
        return
    if not found:
        typer.echo("There is no vote yet.")
    for one in found:
        typer.echo(plain("\n".join([speech.sentence(one), *speech.notes(one)])))
        wide = max((len(name) for name, *_ in speech.rows(one)), default=0)
        for name, won, lost, ties, skipped in speech.rows(one):
            typer.echo(
                f"  {name:<{wide}}  {won} to {lost}, {counted(ties, 'tie')}, {skipped} skipped"
            )
