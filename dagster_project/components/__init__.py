"""The building blocks a `corpora/NAME/defs.yaml` is made of."""

from dagster_project.components.franchise import Franchise
from dagster_project.components.story_corpus import StoryCorpus
from dagster_project.components.story_model import StoryModel

__all__ = ["Franchise", "StoryCorpus", "StoryModel"]
