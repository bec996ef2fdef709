"""Tokenizers: a byte-level BPE trained on a corpus, and encoding in which text stays text.

Byte-level BPE (Sennrich et al. 2016; bytes after Radford et al. 2019) has no unknown word, so that
bits per byte charge a model for every byte. A page that contains the characters `<|endoftext|>`
must not end the story: control tokens in text are split like any other text.
"""

from collections.abc import Iterable

import numpy as np
import numpy.typing as npt
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from pipeline.model_spec import ModelError

#: GPT-2's one control token; it ends a document, and so stands before the next.
END_OF_TEXT = "<|endoftext|>"


def train_byte_level_bpe(
    texts: Iterable[str], vocabulary: int, context: int
) -> PreTrainedTokenizerBase:
    """A byte-level BPE of at most `vocabulary` entries; the same texts give the same one."""
    bpe = Tokenizer(models.BPE())
    bpe.pre_tokenizer = pre_tokenizers.ByteLevel(add_prefix_space=False)
    bpe.decoder = decoders.ByteLevel()
    trainer = trainers.BpeTrainer(
        vocab_size=vocabulary,
        min_frequency=2,
        special_tokens=[END_OF_TEXT],
        initial_alphabet=pre_tokenizers.ByteLevel.alphabet(),
        show_progress=False,
    )
    bpe.train_from_iterator(texts, trainer)
    return PreTrainedTokenizerFast(
        tokenizer_object=bpe,
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
