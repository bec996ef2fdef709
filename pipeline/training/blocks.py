"""A corpus as the blocks that a model learns from and is looked at by."""

from pathlib import Path

import numpy as np
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.corpus import read_split
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.models.initial import context_length
from pipeline.training.packing import Tokens, cut_into_blocks, token_stream

#: Longer blocks than this only where `block_size` asks for them: attention grows with its square.
LONGEST_DEFAULT_BLOCK = 1024


def read_blocks(
    spec: ModelSpec, corpus: Path, model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase
) -> tuple[Tokens, Tokens]:
    """Blocks of the train split, and those of the validation split to look at, maybe none.

    Raises ModelError where the split fills no block, or a block is longer than the context.
    """
    context = context_length(model)
    block_size = spec.training.block_size or min(context, LONGEST_DEFAULT_BLOCK)
    if block_size > context:
        raise ModelError(
            f"training.block_size {block_size} is longer than the model's context of {context} "
            "tokens; lower it"
        )
    stream = token_stream(read_split(corpus, "train"), tokenizer)
    if len(stream) < block_size:
        raise ModelError(
            f"the train split of {corpus} has {len(stream)} tokens, less than one block of "
            f"{block_size}; lower training.block_size or add text"
        )
    held_out = token_stream(read_split(corpus, "validation"), tokenizer)
    # A split shorter than a block is one short block; below two tokens nothing can be predicted.
    length = min(block_size, len(held_out))
    validation = cut_into_blocks(held_out, length) if length > 1 else np.empty((0, 0), np.int32)
    # Spread over the split, so that every source in it is looked at.
    looked_at = np.linspace(0, len(validation), spec.training.eval_blocks, endpoint=False)
    blocks = cut_into_blocks(stream, block_size, spec.training.stride)
    return blocks, validation[np.unique(looked_at.astype(int))]
