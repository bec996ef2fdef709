"""`loremill sample MODEL`: stories drawn from a trained model, each with its seed.

What is not asked for is as the model's recipe has it in its first sampling setting. `--again N`
draws a row of the model's sample set once more, from what stands in the set. torch is loaded once
the model is found, so that a mistyped name is answered at once.
"""

import json as json_text
import os
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from pydantic import ValidationError

from dagster_project.commands.model_folder import training_notes, weights_folder
from dagster_project.commands.sample_again import as_text, draw_again, fields
from dagster_project.commands.speech import refuse
from pipeline.model_spec import ModelError, SamplingSetting
from pipeline.model_spec.samples import MOST_STORIES, check_prompt

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
    step: Annotated[
        int | None, typer.Option(min=1, help="a kept checkpoint's; default: the final model")
    ] = None,
    with_prompt: Annotated[
        bool | None,
        typer.Option("--with-prompt/--without-prompt", help="print a story after its prompt"),
    ] = None,
    again: Annotated[
        int | None,
        typer.Option(min=0, help="draw this sample of the model's set again, and compare the two"),
    ] = None,
    json: Annotated[bool, typer.Option("--json", help="print JSON")] = False,
) -> None:
    """Draw stories from a trained model, each with the seed that gives it again.

    How to draw, where not said, is as the model's recipe has it in its first setting. The same
    model, prompt, genre, seed and options give the same story. With --again, exit status 1 where
    the story is not that of the set. Exit status 2 for bad input: an unknown model, a step that was
    not kept, a genre that it was not trained on, a prompt that leaves no room.
    """
    asked = {
        "temperature": temperature,
        "top_k": top_k,
        "top_p": top_p,
        "repetition_penalty": repetition_penalty,
        "max_length": max_length,
        "whole_sentences": whole_sentences,
    }
    asked = {name: value for name, value in asked.items() if value is not None}
    if again is not None:
        if asked or prompt or genre or count > 1 or seed or step:
            refuse(["--again draws a sample as it was drawn; leave what decides it out"])
        draw_again(model, again, with_prompt, json)
        return
    folder = weights_folder(model, step)
    notes = _recipe(folder)
    setting = _setting(notes, asked)
    shown = notes.get("include_prompt", True) if with_prompt is None else with_prompt
    told: list[dict[str, Any]] = []
    try:
        check_prompt(prompt)
    except ValueError as error:
        refuse([f"--prompt: {error}"])
    try:
        for request, story in _stories(folder, setting, prompt, genre, count, seed):
            if json:
                told.append(fields(model, request, story))
            else:
                typer.echo(as_text(request, story, with_prompt=shown))
    except (ModelError, OSError) as error:
        refuse([error])
    if json:
        typer.echo(json_text.dumps(told, indent=2, ensure_ascii=False))


def _recipe(weights: Path) -> dict[str, Any]:
    """What the model's recipe says of its samples; nothing of a folder from elsewhere."""
    try:
        return dict(training_notes(weights)["spec"]["samples"])
    except (ValueError, LookupError, TypeError):
        return {}


def _setting(recipe: dict[str, Any], asked: dict[str, Any]) -> SamplingSetting:
    """The first setting of the model's recipe, with what is asked for in its place."""
    beneath: dict[str, Any] = {"name": "asked", "top_k": 0, "top_p": 0.9}
    for first in recipe.get("settings", [])[:1]:
        beneath = dict(first)
    try:
        return SamplingSetting.model_validate(beneath | asked)
    except ValidationError as error:
        refuse(
            f"--{str(one['loc'][0]).replace('_', '-')}: {one['msg'].lower()}, not {one['input']}"
            for one in error.errors()
        )


def _stories(
    folder: Path,
    setting: SamplingSetting,
    prompt: str,
    genre: str | None,
    count: int,
    seed: int,
) -> Iterator[tuple["Request", "Story"]]:
    """Each story as soon as those before it are done. Raises ModelError."""
    from pipeline.device import pick_device
    from pipeline.generation import Request, stories
    from pipeline.models.initial import load_trained

    device = pick_device(os.environ.get("LOREMILL_DEVICE") or None)
    model, tokenizer = load_trained(folder)
    model = model.to(device.kind)
    if not setting.temperature:
        count = 1  # always the likeliest: there is but one story
    requests = [Request(prompt, setting, seed + n, genre) for n in range(count)]
    yield from zip(requests, stories(model, tokenizer, requests), strict=True)
