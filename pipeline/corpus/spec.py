"""What a person writes about a corpus: of which franchises it is made, and how.

A franchise implies a corpus of its own name with the defaults, so a `StoryCorpusSpec` is needed
for mixes and for whatever is to differ.
"""

from typing import Annotated, Literal

from pydantic import BaseModel, ConfigDict, Field, field_validator

from pipeline.dedup.policy import THRESHOLD, WORK_THRESHOLD, Keep
from pipeline.licences import LICENCES

Share = Annotated[float, Field(gt=0, lt=0.5)]
Similarity = Annotated[float, Field(gt=0, le=1)]

#: How documents stand in the text files; pipeline/corpus/layout.py says what each is for.
Layout = Literal["stream", "documents", "lines"]


class Duplicates(BaseModel):
    """What counts as the same, and which of the same stays."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    keep: Keep = Field(default="longest", description="which of those that say the same stays")
    threshold: Similarity = Field(default=THRESHOLD, description="documents are the same from here")
    work_threshold: Similarity = Field(
        default=WORK_THRESHOLD, description="works of several documents are the same from here"
    )


class LicenceRule(BaseModel):
    """Which licences keep a text out."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    exclude_non_commercial: bool = Field(
        default=False, description="leave out what may not be used commercially"
    )


class CorpusConfig(BaseModel):
    """How a corpus is made of its documents."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    validation: Share = Field(default=0.05, description="share of works held out to tune by")
    test: Share = Field(default=0.05, description="share of works held out to report on")
    layout: Layout = Field(default="documents", description="how documents stand in the files")
    duplicates: Duplicates = Duplicates()
    licences: LicenceRule | tuple[str, ...] = Field(
        default=LicenceRule(),
        description="the SPDX ids that may go in, or `exclude_non_commercial: true`",
    )

    @field_validator("licences", mode="before")
    @classmethod
    def _one_of_two(cls, licences: object) -> object:
        known = isinstance(licences, dict) and set(licences) <= set(LicenceRule.model_fields)
        if not known and not isinstance(licences, LicenceRule | list | tuple):
            raise ValueError("write a list of SPDX ids, or `exclude_non_commercial: true`")
        return licences

    @field_validator("licences")
    @classmethod
    def _known(cls, licences: LicenceRule | tuple[str, ...]) -> LicenceRule | tuple[str, ...]:
        if isinstance(licences, tuple):
            if not licences:
                raise ValueError("an empty list would leave everything out; name licences, or none")
            for spdx in licences:
                if spdx not in LICENCES:
                    raise ValueError(f"{spdx!r} is unknown; known are {', '.join(LICENCES)}")
        return licences


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

    def config(self) -> CorpusConfig:
        """How it is made, without what it is made of."""
        return CorpusConfig.model_validate(
            {name: getattr(self, name) for name in CorpusConfig.model_fields}
        )
