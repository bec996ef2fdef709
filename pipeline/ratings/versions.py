"""Which versions of the stories are there now: a vote on another one is of an earlier story."""

from pathlib import Path

from pipeline.artifact import MANIFEST, Artifact
from pipeline.ratings.stories import HUMAN


def versions(data: Path, corpus: str) -> dict[str, str]:
    """The data version of each sample set under the data root, and under HUMAN the corpus's."""
    sets = (Artifact.load(path.parent) for path in (data / "samples").glob(f"*/{MANIFEST}"))
    found = {made.root.name: made.data_version for made in sets if made is not None}
    texts = Artifact.load(data / "corpora" / corpus)
    return found | ({HUMAN: texts.data_version} if texts is not None else {})
