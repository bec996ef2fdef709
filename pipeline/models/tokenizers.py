"""Tokenizers: a byte-level BPE trained on a corpus, and encoding in which text stays text.

A byte-level BPE has no unknown word, so that bits per byte charge a model for every byte. A page
that contains the characters `<|endoftext|>` must not end the story: control tokens in text are
split like any other text.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from pipeline.model_spec import ModelError
from pipeline.models.bpe import END_OF_TEXT, train_bpe


def train_byte_level_bpe(
    texts: Iterable[str], vocabulary: int, context: int
) -> PreTrainedTokenizerBase:
    """A byte-level BPE of at most `vocabulary` entries; the same texts give the same one."""
    return PreTrainedTokenizerFast(
        tokenizer_object=train_bpe(texts, vocabulary),
        bos_token=END_OF_TEXT,
        eos_token=END_OF_TEXT,
        pad_token=END_OF_TEXT,
        model_max_length=context,
        clean_up_tokenization_spaces=False,
    )


def end_token(tokenizer: PreTrainedTokenizerBase) -> int:
    """The id that ends a document and stands before the next."""
    if tokenizer.eos_token_id is None:
        raise ModelError("the tokenizer has no end-of-text token; choose a base that has one")
    return int(tokenizer.eos_token_id)


def encode(tokenizer: PreTrainedTokenizerBase, texts: list[str]) -> list[npt.NDArray[np.int32]]:
    """Token ids of each text, without any control token, on all cores."""
    batch = tokenizer(
        texts,
        add_special_tokens=False,
        split_special_tokens=True,
        return_attention_mask=False,
        verbose=False,
    )
    return [np.asarray(ids, dtype=np.int32) for ids in batch["input_ids"]]
