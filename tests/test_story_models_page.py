"""docs/story-models.md tells every key of a story model, with its default, as the code has it."""

from pathlib import Path

import pytest
from pydantic import BaseModel

from pipeline.model_spec import (
    LoraSettings,
    MeasureSettings,
    ModelSpec,
    RecurrentShape,
    SampleSettings,
    SamplingSetting,
    TokenizerSettings,
    TrainingSettings,
    WordVectors,
)
from pipeline.models.sizes import GPT2_SIZES

PAGE = (Path(__file__).parents[1] / "docs" / "story-models.md").read_text("utf-8")


def rows(model: type[BaseModel]) -> list[str]:
    """A row of the page's table for each key of `model`."""
    told = []
    for name, field in model.model_fields.items():
        if field.is_required():
            default = "must be written"
        elif field.default is None or isinstance(field.default, BaseModel | list):
            default = ""
        else:
            default = f"`{str(field.default).lower()}`"
        told.append(f"| `{name}` | {default} | {field.description or ''} |")
    return told


@pytest.mark.parametrize(
    "model",
    [
        ModelSpec,
        RecurrentShape,
        TokenizerSettings,
        WordVectors,
        LoraSettings,
        TrainingSettings,
        SampleSettings,
        SamplingSetting,
        MeasureSettings,
    ],
    ids=lambda model: model.__name__,
)
def test_every_key_stands_there_with_its_default(model: type[BaseModel]):
    assert "\n".join(rows(model)) in PAGE


def test_every_size_stands_there():
    for name, size in GPT2_SIZES.items():
        row = f"| `{name}` | {size.layers} | {size.width:,} | {size.heads} | {size.context:,} | "
        assert row + f"{size.learning_rate:g} |" in PAGE
