"""Where a pretrained model or tokenizer is read from: a folder, or one commit of the hub.

What comes from the hub is pinned to one commit, asked for in one request, so that a branch which
moves between two files mixes nothing, and a machine without a network is told so at once. No code
of a repository is run, since it can do anything.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from huggingface_hub import HfApi
from huggingface_hub import errors as hub

from pipeline.model_spec import ModelError

What = Literal["base", "judge", "tokenizer"]

#: Seconds for the one request that asks the hub which commit is meant.
HUB_SECONDS = 10
#: Of whichever HTTP client the hub's library goes by.
_NO_ANSWER: type[Exception] = hub.HfHubHTTPError.__mro__[1]
_REMEDIES = {
    "base": "Give `base:` a local folder with model.safetensors, config.json and tokenizer.json, "
    "or `size:` for a fresh model that needs no download, or try again where the hub can be "
    "reached.",
    "judge": "Give `measures.judge:` a local folder with model.safetensors, config.json and "
    "tokenizer.json, or leave it out for the base, or for a fresh model the n-gram model of its "
    "corpus, or try again where the hub can be reached.",
    "tokenizer": "Give `tokenizer.source:` a local folder with tokenizer.json and "
    "tokenizer_config.json, or leave it out to learn the tokenizer from the corpus, or try again "
    "where the hub can be reached.",
}


@dataclass(frozen=True)
class Source:
    """A folder, or a commit of a repository of the hub."""

    what: What  # as the YAML file calls it
    name: str  # as the libraries take it: the folder, or the hub id
    revision: str | None  # as it was written
    commit: str | None  # of the hub; None for a folder, or where the hub cannot be reached
    files: tuple[str, ...]  # of the folder, or of the commit; none where they are not known

    @property
    def where(self) -> dict[str, Any]:
        """As `from_pretrained` is given it; without a commit only this machine is looked at."""
        return {
            "revision": self.commit or self.revision or "main",
            "local_files_only": self.commit is None,
        }

    def refused(self, reason: str) -> ModelError:
        """What a library stumbled on, with the remedy."""
        reason = " ".join(reason.split())[:600]
        return ModelError(
            f"{self.what} {self.name!r} cannot be loaded: {reason} - {_REMEDIES[self.what]}"
        )


def find_source(what: What, name: str, revision: str | None) -> Source:
    """The folder of this name, else the commit that a hub id and revision mean now.

    Raises ModelError where it is neither, or the hub says that it has none.
    """
    folder = Path(name).expanduser()
    if folder.is_dir():
        return Source(what, str(folder), None, None, tuple(path.name for path in folder.iterdir()))
    unpinned = Source(what, name, revision, None, ())
    try:
        info = HfApi().model_info(name, revision=revision, timeout=HUB_SECONDS)
    except hub.HFValidationError as error:
        raise unpinned.refused("it is neither a folder nor a hub id") from error
    except hub.HfHubHTTPError as error:
        raise unpinned.refused(str(error)) from error
    except (_NO_ANSWER, hub.OfflineModeIsEnabled):
        return unpinned  # what an earlier download left is looked for
    files = tuple(file.rfilename for file in info.siblings or [])
    return Source(what, name, revision, info.sha, files)
