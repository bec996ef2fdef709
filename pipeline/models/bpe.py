"""A byte-level BPE trained on texts, as the bare `tokenizers` object: nothing here needs torch.

Byte-level BPE (Sennrich et al. 2016; bytes after Radford et al. 2019) has no unknown word, so every
byte of a text is counted by its tokens.
"""

from collections.abc import Iterable

from tokenizers import Tokenizer, decoders, models, pre_tokenizers, trainers

#: GPT-2's one control token; it ends a document, and so stands before the next.
END_OF_TEXT = "<|endoftext|>"
#: GPT-2's vocabulary.
GPT2_VOCABULARY = 50_257


def train_bpe(texts: Iterable[str], vocabulary: int) -> Tokenizer:
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
    return bpe
