"""What the parts of a written model share, and the error that a person gets."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

#: Names become folders and parts of asset keys.
SLUG = r"^[a-z0-9]+(?:[_-][a-z0-9]+)*$"

Positive = Annotated[int, Field(ge=1)]
NotNegative = Annotated[int, Field(ge=0)]


class ModelError(Exception):
    """Why a model cannot be built, trained or read, and what to do: one message for a person."""


class Written(BaseModel):
    """A part of a YAML file: an unknown key is a mistake, not an extra; so is `.nan` or `.inf`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
