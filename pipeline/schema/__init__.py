"""The Arrow schemas of everything that is stored: the contract between the rooms.

Bodies are bytes as served; every other text is Unicode. Times are UTC. Licences are SPDX ids
(https://spdx.org/licenses/) where one exists, and stand on every row, because rows of one table
come from sites with different licences.
"""

from pipeline.schema.corpus import ASSIGNMENTS, MANIFEST
from pipeline.schema.crawl import PAGES, REQUESTS
from pipeline.schema.documents import (
    CHANGED,
    DOCUMENTS,
    DROPPED,
    MATCHES,
    READ_PAGES,
    SIGNATURES,
    genre_words,
    story_columns,
)
from pipeline.schema.measures import (
    CONTEXT,
    DIFFERENCES,
    MEMORISATION,
    NOVELTY,
    PASSAGES,
    QUALITY,
    QUALITY_MEANS,
    SCORES,
    WORKS,
)
from pipeline.schema.models import LOSS, SAMPLES, TRAINED_ON

__all__ = [
    "ASSIGNMENTS",
    "CHANGED",
    "CONTEXT",
    "DIFFERENCES",
    "DOCUMENTS",
    "DROPPED",
    "LOSS",
    "MANIFEST",
    "MATCHES",
    "MEMORISATION",
    "NOVELTY",
    "PAGES",
    "PASSAGES",
    "QUALITY",
    "QUALITY_MEANS",
    "READ_PAGES",
    "REQUESTS",
    "SAMPLES",
    "SCORES",
    "SIGNATURES",
    "TRAINED_ON",
    "WORKS",
    "genre_words",
    "story_columns",
]
