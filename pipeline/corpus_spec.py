"""What a person writes about a corpus that mixes several franchises.

A franchise implies a corpus of its own name, so this is only needed for mixes.
"""

from pydantic import BaseModel, ConfigDict, Field


class StoryCorpusSpec(BaseModel):
    """A mix of franchises, milled into one `train.txt`."""

    model_config = ConfigDict(extra="forbid", frozen=True)

    title: str
    franchises: list[str] = Field(min_length=1, description="folders under corpora/")
