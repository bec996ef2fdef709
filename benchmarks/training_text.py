"""One text as all systems of training.py and tiny_shakespeare.py are given it.

Ours reads a corpus, run_clm.py a text file, nanoGPT's train.py token ids in a binary file. The ids
are the same: one tokenizer, learned once.
"""

import pickle
from collections.abc import Mapping, Sequence
from hashlib import sha256
from pathlib import Path

import numpy as np
from transformers import PreTrainedTokenizerBase

from pipeline.corpus import read_split
from pipeline.corpus.files import SplitWriter, manifest_writer
from pipeline.corpus.layout import make_layout
from pipeline.schema import DOCUMENTS
from pipeline.training.packing import token_stream

#: Characters of a document, about: a story.
_DOCUMENT = 3000


def documents(text: str) -> list[str]:
    """The text in pieces of some paragraphs each."""
    pieces, piece = [], ""
    for paragraph in text.split("\n\n"):
        if piece and len(piece) + len(paragraph) > _DOCUMENT:
            pieces.append(piece)
            piece = ""
        piece += f"\n\n{paragraph}" if piece else paragraph
    return [piece for piece in (*pieces, piece) if piece.strip()]


def write_corpus(folder: Path, splits: Mapping[str, Sequence[str]]) -> Path:
    """A corpus folder of these documents, as the corpus step leaves it."""
    folder.mkdir(parents=True)
    layout = make_layout("documents", [])
    with manifest_writer(folder, layout) as manifest:
        for split in ("train", "validation", "test"):
            with SplitWriter(folder, split, manifest, layout) as writer:
                for number, text in enumerate(splits.get(split, [])):
                    name = f"{split}-{number}"
                    writer.write(
                        dict.fromkeys(DOCUMENTS.names)
                        | {"doc_id": name, "work_id": name, "title": name}
                        | {"franchise": "text", "source": "text", "text": text}
                        | {"text_sha256": sha256(text.encode()).hexdigest()}
                    )
    return folder


def write_bins(folder: Path, corpus: Path, tokenizer: PreTrainedTokenizerBase) -> None:
    """train.bin, val.bin and meta.pkl as nanoGPT's prepare.py leaves them, of the same tokens."""
    folder.mkdir(parents=True)
    for split, name in (("train", "train.bin"), ("validation", "val.bin")):
        token_stream(read_split(corpus, split), tokenizer).astype(np.uint16).tofile(folder / name)
    (folder / "meta.pkl").write_bytes(pickle.dumps({"vocab_size": len(tokenizer)}))
