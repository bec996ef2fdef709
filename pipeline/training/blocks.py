"""A corpus as the blocks that a model learns from and is looked at by."""

from dataclasses import dataclass
from pathlib import Path

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.corpus import read_split
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.model_spec.training import check_stride
from pipeline.models.initial import context_length
from pipeline.training.packing import Tokens, cut_into_blocks, token_stream

#: Longer blocks than this only where `block_size` asks for them: attention grows with its square.
LONGEST_DEFAULT_BLOCK = 1024
#: The shortest that `block_size` may ask for.
SHORTEST_BLOCK = 8


@dataclass(frozen=True)
class CorpusBlocks:
    """What is learned from and looked at, each of shape (blocks, tokens)."""

    train: Tokens
    held_out: Tokens  # spread over the validation split; none where it has no text
    tokens: int  # of the train split, which overlapping blocks hold more than once


def check_text(corpus: Path) -> None:
    """Raise ModelError where there is nothing to learn from, before anything is made of it."""
    if not any(document.text.strip() for document in read_split(corpus, "train")):
        raise ModelError(
            f"the train split of {corpus} is empty; add text to the corpus, or hold less of it out"
        )


def read_blocks(
    spec: ModelSpec, corpus: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> CorpusBlocks:
    """Blocks of the train split, and some of the validation split.

    Raises ModelError where the split fills no block, or a block is longer than the context
    or shorter than the stride.
    """
    context = context_length(model)
    block_size = spec.training.block_size or min(
        context or LONGEST_DEFAULT_BLOCK, LONGEST_DEFAULT_BLOCK
    )
    if context is not None and block_size > context:
        raise ModelError(
            f"training.block_size {block_size} is longer than the model's context of {context} "
            "tokens; lower it"
        )
    try:
        check_stride(spec.training.stride or block_size, block_size)
    except ValueError as error:
        raise ModelError(str(error)) from None
    stream = token_stream(read_split(corpus, "train"), tokenizer)
    if len(stream) < block_size:
        fits = len(stream) >= SHORTEST_BLOCK
        lower = f"write training.block_size: {len(stream)}, the longest that fits, or "
        raise ModelError(
            f"the train split of {corpus} has {len(stream)} tokens, less than one block of "
            f"{block_size}; {lower if fits else ''}add text"
        )
    held_out = token_stream(read_split(corpus, "validation"), tokenizer)
    # A split shorter than a block is one short block; below two tokens nothing can be predicted.
    length = min(block_size, len(held_out))
    looks = cut_into_blocks(held_out, length) if length > 1 else np.empty((0, 0), np.int32)
    # Spread over the split, so that every source in it is looked at.
    looked_at = np.linspace(0, len(looks), min(len(looks), spec.training.eval_blocks), False)
    return CorpusBlocks(
        train=cut_into_blocks(stream, block_size, spec.training.stride),
        held_out=looks[looked_at.astype(int)],
        tokens=len(stream),
    )
