"""The asset of a corpus's index: in which page a run of words of any text stands, in milliseconds.

It costs half a minute for 100 MB of text and as much disk again, so it follows its corpus by
itself. It holds the corpus's text: a takedown removes it and makes it anew.
"""

from pathlib import Path

import dagster as dg

from dagster_project.presentation import OWNERS, group_name, result
from dagster_project.resources import DataStore
from dagster_project.step import build
from pipeline.artifact import Artifact, code_version, fingerprint
from pipeline.reports.text import size


def index_key(corpus: str) -> dg.AssetKey:
    """The asset of a corpus's index."""
    return dg.AssetKey([corpus, "index"])


def load_index(corpus: str, data: DataStore) -> Artifact:
    """The index of a corpus; a clear failure where it is not there yet."""
    return data.load("indexes", corpus, made_by=index_key(corpus).to_user_string())


def index_asset(name: str, title: str, written_in: Path) -> dg.AssetsDefinition:
    """The asset `NAME/index`, of the training text of the corpus `NAME`."""

    @dg.asset(
        key=index_key(name),
        deps=[dg.AssetKey([name, "corpus"])],
        description=f"{title}: which passages of a text stand in train.txt, and on which page; "
        "`loremill copied` asks it, and the memorisation of models.",
        group_name=group_name(name),
        kinds={"python", "numpy"},
        owners=OWNERS,
    )
    def index(context: dg.AssetExecutionContext, data: DataStore) -> dg.MaterializeResult:
        from pipeline.memorisation.index import build_index

        corpus = data.load("corpora", name, made_by=f"{name}/corpus")
        artifact = build(
            data.path("indexes", name),
            fingerprint(
                corpus=corpus.data_version,
                code=code_version(
                    "pipeline.memorisation.index",
                    "pipeline.memorisation.suffixes",
                    "pipeline.memorisation.words",
                    "pipeline.corpus.files",
                    "pipeline.corpus.layout",
                ),
            ),
            lambda folder: build_index(corpus.folder, folder, report=context.log.info),
            written_in=written_in,
        )
        figures = artifact.figures
        return result(
            context,
            artifact,
            {
                "documents": figures["documents"],
                "words": figures["words"],
                "bytes": figures["bytes"],
                "seconds": figures["seconds"],
                "memory": size(figures["memory_bytes"]),
            },
        )

    return index
