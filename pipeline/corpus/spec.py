"""What a person writes about a corpus: of which franchises it is made, and how it is split.

A franchise implies a corpus of its own name with the defaults, so a `StoryCorpusSpec` is only
needed for mixes.
"""

from typing import Annotated

from pydantic import BaseModel, ConfigDict, Field, field_validator

Share = Annotated[float, Field(gt=0, lt=0.5)]


class CorpusConfig(BaseModel):
    """How a corpus is made of its documents."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    validation: Share = Field(default=0.05, description="share of works held out to tune by")
    test: Share = Field(default=0.05, description="share of works held out to report on")


class StoryCorpusSpec(CorpusConfig):
    """A mix of franchises, milled into one `train.txt`."""

    title: str
    franchises: list[str] = Field(min_length=1, description="folders under corpora/")

    @field_validator("franchises")
    @classmethod
    def _named_once(cls, franchises: list[str]) -> list[str]:
        for name in franchises:
            if franchises.count(name) > 1:
                raise ValueError(f"{name!r} stands twice")
        return franchises
