"""`loremill sample MODEL`: stories drawn from a trained model, each with its seed.

What is not asked for is as the model's recipe has it in its first sampling setting. torch is loaded
once the model is found, so that a mistyped name is answered at once.
"""

import json as json_text
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from dagster_project.commands.model_folder import weights_folder
from dagster_project.commands.speech import refuse
from pipeline.model_spec import ModelError, SamplingSetting
from pipeline.model_spec.samples import MOST_STORIES
from pipeline.reports.text import plain

if TYPE_CHECKING:
    from pipeline.generation import Request, Story


def sample(
    model: Annotated[
        str, typer.Argument(help="name of a story model, e.g. batman-gpt2, or a folder with one")
    ],
    prompt: Annotated[str, typer.Option(help="how the story begins")] = "",
    genre: Annotated[
        str | None, typer.Option(help="of a model whose corpus has layout `lines`")
    ] = None,
    count: Annotated[
        int, typer.Option(min=1, max=MOST_STORIES, help="stories; each takes the next seed")
    ] = 1,
    seed: Annotated[int, typer.Option(min=0, max=2**32 - 1, help="of the first story")] = 0,
    temperature: Annotated[float | None, typer.Option(help="0: always the likeliest")] = None,
    top_k: Annotated[int | None, typer.Option(help="likeliest tokens; 0: all")] = None,
    top_p: Annotated[float | None, typer.Option(help="share of likeliness; 1: all")] = None,
    repetition_penalty: Annotated[float | None, typer.Option(help="1: none")] = None,
    max_length: Annotated[int | None, typer.Option(help="tokens, prompt included")] = None,
    whole_sentences: Annotated[
        bool | None,
        typer.Option("--whole-sentences/--any-end", help="cut after the last whole sentence"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Draw stories from a trained model, each with the seed that gives it again.

    How to draw, where not said, is as the model's recipe has it in its first setting. The same
    model, prompt, genre, seed and options give the same story. Exit status 2 for bad input: an
    unknown model, a genre that it was not trained on, a prompt that leaves no room.
    """
    asked = {
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "repetition_penalty": repetition_penalty,
        "max_length": max_length,
        "whole_sentences": whole_sentences,
    }
    folder = weights_folder(model)
    setting = _setting(folder, {name: value for name, value in asked.items() if value is not None})
    told: list[dict[str, Any]] = []
    try:
        for request, story in _stories(folder, setting, prompt, genre, count, seed):
            if json:
                told.append(_fields(model, request, story))
            else:
                typer.echo(_as_text(request, story))
    except (ModelError, OSError) as error:
        refuse([error])
    if json:
        typer.echo(json_text.dumps(told, indent=2, ensure_ascii=False))


def _setting(folder: Path, asked: dict[str, Any]) -> SamplingSetting:
    """The first setting of the model's recipe, with what is asked for in its place."""
    beneath: dict[str, Any] = {"name": "asked", "top_k": 0, "top_p": 0.9}
    try:
        notes = json_text.loads((folder.parent / "training.json").read_text("utf-8"))
        beneath = dict(notes["spec"]["samples"]["settings"][0])
    except (OSError, ValueError, LookupError, TypeError):
        pass  # a folder from elsewhere has no such notes
    try:
        return SamplingSetting.model_validate(beneath | asked)
    except ValidationError as error:
        refuse(
            f"--{str(one['loc'][0]).replace('_', '-')}: {one['msg'].lower()}, not {one['input']}"
            for one in error.errors()
        )


def _stories(
    folder: Path, setting: SamplingSetting, prompt: str, genre: str | None, count: int, seed: int
) -> Iterator[tuple["Request", "Story"]]:
    """Each story as soon as those drawn together with it are done. Raises ModelError."""
    from pipeline.device import pick_device
    from pipeline.generation import ROWS, Request, draw
    from pipeline.models.initial import load_trained

    device = pick_device(os.environ.get("LOREMILL_DEVICE") or None)
    model, tokenizer = load_trained(folder)
    model = model.to(device.kind)
    if not setting.temperature:
        count = 1  # always the likeliest: there is but one story
    requests = [Request(prompt, setting, seed + n, genre) for n in range(count)]
    for start in range(0, count, ROWS):
        some = requests[start : start + ROWS]
        yield from zip(some, draw(model, tokenizer, some), strict=True)


def _as_text(request: "Request", story: "Story") -> str:
    of = f", {request.genre}" if request.genre else ""
    end = "" if story.finished else ", cut"
    head = f"--- seed {request.seed}{of}, {story.tokens:,} tokens{end}"
    return plain(f"{head}\n{request.prompt}{story.text}\n")


def _fields(model: str, request: "Request", story: "Story") -> dict[str, Any]:
    return {
        "model": model,
        "prompt": request.prompt,
        "genre": request.genre,
        "seed": request.seed,
        **request.setting.model_dump(exclude={"name"}),
        "text": story.text,
        "tokens": story.tokens,
        "finished": story.finished,
    }
