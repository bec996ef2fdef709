"""Marks a model with the takedowns of what it was trained on, whenever its training ended.

A takedown marks the models that it finds. One that is still in training then is no output yet: its
own step holds what it read against the record when it is done, so that either the one or the other
sees it.
"""

from pathlib import Path

from crawlers.takedowns import records
from dagster_project.takedown.touched import removal_of
from pipeline.artifact import Artifact
from pipeline.takedown import models


def mark_trained(data: Path, model: Artifact) -> None:
    """Mark it with all takedowns on record that took what it read; twice is once.

    Raises TakedownRecordError, OSError; ValueError where its marks are damaged.
    """
    recorded = list(records(data))
    pages = [page for record in recorded for page in record.pages]
    if not pages or not models.trained_on(model, removal_of(pages)):
        return  # one reading for all of them: as a rule that is all
    for record in recorded:
        if count := models.trained_on(model, removal_of(record.pages)):
            models.mark(model, record.takedown_id, record.at, count)
