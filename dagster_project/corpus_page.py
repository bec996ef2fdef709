"""The page of a corpus in figures: where it lies, and when it is made anew.

`reports/corpora/CORPUS.html` is written with each materialization, and its figures beside it as
JSON, last: a corpus that was reused finds them there, and its texts are not read again.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.artifact import Artifact, code_version, fingerprint
from pipeline.reports.corpus import read_figures, write_corpus_report, write_figures

#: The folder of these pages beside the models' reports: no story model may be called so.
FOLDER = "corpora"


@dataclass(frozen=True)
class CorpusPage:
    """A page, and what it says, for elsewhere."""

    path: Path
    figures: dict[str, Any]  # as `write_corpus_report` returns them


def page_path(data: Path, corpus: str) -> Path:
    """Where the page of a corpus lies, or will."""
    return data.absolute() / "reports" / FOLDER / f"{corpus}.html"


def write_corpus_page(
    data: Path, name: str, title: str, corpus: Artifact, documents: Mapping[str, Artifact]
) -> CorpusPage:
    """The page of the finished corpus, in place of the last one where that is of another.

    `documents` are those of its franchises. Raises ManifestError where the corpus's manifest and
    texts do not fit together.
    """
    path = page_path(data, name)
    beside = path.with_suffix(".json")
    made_of = fingerprint(
        corpus=corpus.data_version,
        title=title,
        code=code_version(
            "pipeline.reports",
            "pipeline.statistics",
            "pipeline.tokens",
            "pipeline.models.bpe",
            "pipeline.licences",
        ),
    )
    last = read_figures(beside)
    if last and last.get("fingerprint") == made_of and path.is_file():
        return CorpusPage(path, last)
    figures = write_corpus_report(
        corpus.folder,
        title,
        corpus.figures,
        {franchise: made.folder / "documents.parquet" for franchise, made in documents.items()},
        path,
    )
    figures["fingerprint"] = made_of
    write_figures(beside, figures)
    return CorpusPage(path, figures)
