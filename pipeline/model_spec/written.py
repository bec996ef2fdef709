"""What the parts of a written model share, and the error that a person gets."""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field

#: Names become folders and parts of asset keys.
SLUG = r"^[a-z0-9]+(?:[_-][a-z0-9]+)*$"

_MOST = 2**31 - 1  # what tables and libraries hold a number in
Positive = Annotated[int, Field(ge=1, le=_MOST)]
NotNegative = Annotated[int, Field(ge=0, le=_MOST)]
#: Of random streams; NumPy's take no larger one.
Seed = Annotated[int, Field(ge=0, le=2**32 - 1)]
#: Units of a layer, so that one matrix of it stays within memory; GPT-2 XL has 1,600.
Width = Annotated[int, Field(ge=1, le=16_384)]


class ModelError(Exception):
    """Why a model cannot be built, trained or read, and what to do: one message for a person."""


class Written(BaseModel):
    """A part of a YAML file: an unknown key is a mistake, not an extra; so is `.nan` or `.inf`."""

    model_config = ConfigDict(extra="forbid", frozen=True, allow_inf_nan=False)
