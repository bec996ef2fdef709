"""Documents packed into blocks without padding, each kept apart from its neighbours.

The split becomes one stream of framed documents, `end doc end doc … end` or, with control tokens,
`<BOS> <genre> doc <EOS> <BOS> …`, cut into blocks of equal length. A document thus begins as a
story does when it is sampled and scored, and the token that ends it is learned too. Position ids
restart at every document: transformers reads from that, where there is no attention mask and no
cache, which tokens belong together, and no token attends to another document. On two CPU cores that
costs nothing that can be measured (GPT-2 of 4 layers, 192 wide, blocks of 256: 9,900 tokens/s
apart, 9,600 together).
"""

import re
from array import array
from collections.abc import Iterable, Iterator
from itertools import islice
from typing import Any, TypeVar

import numpy as np
import numpy.typing as npt
import torch
from torch.utils.data import Dataset
from transformers import PreTrainedTokenizerBase

from pipeline.corpus import CorpusDocument
from pipeline.model_spec import ModelError
from pipeline.models.framing import Frame, frame_of
from pipeline.models.tokenizers import encode, special_tokens

Item = TypeVar("Item")
Tokens = npt.NDArray[np.int32]

#: Text encoded together: enough to keep every core busy; its tokens take some 150 bytes each on
#: the way, so few enough to bound memory.
CHARACTERS_AT_ONCE = 1_000_000

_BYTE = re.compile("<0x[0-9A-F]{2}>")
_ANCHOR = "a"  # before an entry, for a decoder may take the blank off a text's first


def token_stream(documents: Iterable[CorpusDocument], tokenizer: PreTrainedTokenizerBase) -> Tokens:
    """All documents in their frames as one array of token ids; empty where there are none.

    Four bytes a token, beside what is encoded at a time.
    """
    frame = frame_of(tokenizer)
    stream = array("i")
    for some in _of_characters(documents, CHARACTERS_AT_ONCE):
        texts = encode(tokenizer, [document.text for document in some])
        for document, ids in zip(some, texts, strict=True):
            stream.extend(frame.begin(document.genre))
            stream.frombytes(ids.tobytes())
            if frame.end != frame.start:
                stream.append(frame.end)
    if stream and frame.end == frame.start:
        stream.append(frame.end)
    return np.frombuffer(stream, dtype=np.int32)


def cut_into_blocks(stream: Tokens, block_size: int, stride: int | None = None) -> Tokens:
    """Shape (blocks, block_size): views into the stream that begin `stride` tokens apart.

    None: as long as a block, so that none overlap. The rest that fills no block is left out.
    """
    if len(stream) < block_size:
        return np.empty((0, block_size), dtype=np.int32)
    windows = np.lib.stride_tricks.sliding_window_view(stream, block_size)
    return windows[:: stride or block_size]


def token_bytes(tokenizer: PreTrainedTokenizerBase) -> Tokens:
    """UTF-8 bytes of each entry's text, shape (entries,); 0 for control tokens.

    Raises ModelError for a tokenizer without a `tokenizer.json`, whose entries cannot be read.
    """
    backend = getattr(tokenizer, "backend_tokenizer", None)
    if backend is None:
        raise ModelError("the tokenizer has no tokenizer.json; save it once as a fast tokenizer")
    decoder = str(backend.decoder)
    special = special_tokens(tokenizer)
    added = {token.content for token in tokenizer.added_tokens_decoder.values()}
    lengths = np.zeros(len(tokenizer), dtype=np.int32)
    for token, number in tokenizer.get_vocab().items():
        if token in special:
            continue
        if token in added:
            lengths[number] = len(token.encode())
        elif "ByteLevel" in decoder:  # a character of an entry stands for a byte
            lengths[number] = len(token)
        elif "ByteFallback" in decoder and _BYTE.fullmatch(token):
            lengths[number] = 1
        else:
            lengths[number] = len(backend.decoder.decode([_ANCHOR, token]).encode()) - len(_ANCHOR)
    return lengths


#: The number of a block from which nothing is learned, and the label of each of its tokens.
NO_BLOCK = -1
IGNORED = -100


class PackedBlocks(Dataset[Tokens]):
    """Blocks as the Trainer reads them."""

    def __init__(self, blocks: Tokens):
        self.blocks = blocks

    def __len__(self) -> int:
        return len(self.blocks)

    def __getitem__(self, index: int) -> Tokens:
        if index == NO_BLOCK:
            return np.full(self.blocks.shape[1:], IGNORED, dtype=np.int32)
        block: Tokens = self.blocks[index]
        return block


def collate(blocks: list[Tokens], frame: Frame, *, apart: bool = True) -> dict[str, Any]:
    """What a causal LM is given: ids, labels (unshifted), positions that restart at documents.

    Shapes (batch, block_size). No positions where not `apart`: the model takes none, or does not
    read from them what belongs together (probes.keeps_documents_apart).
    """
    labels = np.stack(blocks).astype(np.int64)
    ids = np.where(labels == IGNORED, frame.end, labels)
    batch = {
        "input_ids": torch.from_numpy(ids),
        "labels": torch.from_numpy(labels),
        "use_cache": False,  # with a cache, restarting positions are not read as documents
    }
    if apart:
        index = np.arange(ids.shape[1])
        starts = np.maximum.accumulate(np.where(ids == frame.start, index, 0), axis=1)
        batch["position_ids"] = torch.from_numpy(index - starts)
    return batch


def batched(items: Iterable[Item], size: int) -> Iterator[list[Item]]:
    """Lists of at most `size` (itertools.batched comes with Python 3.12)."""
    rest = iter(items)
    while some := list(islice(rest, size)):
        yield some


def _of_characters(
    documents: Iterable[CorpusDocument], most: int
) -> Iterator[list[CorpusDocument]]:
    """Lists of documents of at most `most` characters together, or of a single longer one."""
    some: list[CorpusDocument] = []
    length = 0
    for document in documents:
        if some and length + len(document.text) > most:
            yield some
            some, length = [], 0
        some.append(document)
        length += len(document.text)
    if some:
        yield some
