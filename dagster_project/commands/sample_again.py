"""`loremill sample MODEL --again N`: a sample of the model's set, drawn once more and compared.

Also how a story is shown, drawn again or for the first time.
"""

import json as json_text
from typing import TYPE_CHECKING, Any

import typer

from dagster_project.commands.finished import finished
from dagster_project.commands.model_folder import weights_folder
from dagster_project.commands.speech import FAILED, refuse
from pipeline.model_spec import ModelError
from pipeline.reports.text import plain
from pipeline.takedown.models import marks

if TYPE_CHECKING:
    from pipeline.generation import Request, Story


def draw_again(model: str, number: int, with_prompt: bool | None, json: bool) -> None:
    """Print the story; exit status 1 where it is not the set's, 2 where it cannot be drawn.

    Weights that were trained on a text taken down since still hold it: of such a model a story that
    is another now may be what was taken out of the set, and is not shown.
    """
    samples = finished("samples", model).folder / "samples.parquet"
    model_folder = weights_folder(model).parent
    marked = marks(finished("models", model))
    from pipeline.redraw import redraw  # torch, now that both are there

    try:
        again = redraw(model_folder, samples, number)
    except (ModelError, OSError) as error:
        refuse([error])
    if marked and not again.identical:
        refuse(
            [
                f"{samples}: sample {number:,} has another story now, which is not shown: a text "
                "that the model was trained on was taken down, and its weights may tell it still"
            ],
            FAILED,
        )
    if json:
        told = fields(model, again.request, again.story) | {
            "sample": number,
            "step": again.row["step"],
            "identical": again.identical,
            "unlike": again.unlike,
        }
        typer.echo(json_text.dumps(told, indent=2, ensure_ascii=False))
    else:
        shown = again.row["include_prompt"] if with_prompt is None else with_prompt
        verdict = "as in the set" if again.identical else "not as in the set"
        head = f"sample {number:,}, step {again.row['step']:,}, {verdict}, "
        typer.echo(as_text(again.request, again.story, head, with_prompt=shown))
    if not again.identical:
        since = f" since the set was drawn: {'; '.join(again.unlike)}" if again.unlike else ""
        refuse(
            [
                f"{samples}: sample {number:,} has another story"
                + (since or ", though all that it was drawn with is the same: was it changed?")
            ],
            FAILED,
        )


def as_text(request: "Request", story: "Story", head: str = "", *, with_prompt: bool = True) -> str:
    """A story for a person, under a line that says what gives it again."""
    of = f", {request.genre}" if request.genre else ""
    end = "" if story.finished else ", cut"
    line = f"--- {head}seed {request.seed}{of}, {story.tokens:,} tokens{end}"
    return plain(f"{line}\n{request.prompt if with_prompt else ''}{story.text}\n")


def fields(model: str, request: "Request", story: "Story") -> dict[str, Any]:
    """A story for a script; `text` is what follows the prompt."""
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
