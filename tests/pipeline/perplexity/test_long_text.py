"""A text encoded in pieces has the tokens that it has as a whole."""

import random

import numpy as np
import pytest
from tokenizers import Tokenizer, models, normalizers, pre_tokenizers, trainers
from transformers import PreTrainedTokenizerBase, PreTrainedTokenizerFast

from pipeline.model_spec import TokenizerSettings
from pipeline.models.tokenizers import encode, learn_tokenizer
from pipeline.perplexity import long_text
from pipeline.perplexity.long_text import encode_pieces

_TALE = (
    "The ferryman, who couldn't swim, rowed 17 bells over the drowned tower's roof...\n\n"
    "“Not again,” said Édda — and 鐘 rang under the water, thrice.  Then   nothing.\r\n"
)
_ODD = ["a", "aaaa", " ", "\n", "   ", "é", "漢字", "👩‍🚀", "\0", "<|endoftext|>", "'s", "1"]
_ODD += ["…", "\r\n", " ", "é", "the ", "\t", "<EOS>"]


def _odd(length: int) -> str:
    drawn = random.Random(4)
    return "".join(drawn.choice(_ODD) for _ in range(length))


_TEXTS = {
    "tale": "".join(f"{n}. {_TALE}" for n in range(60)),
    "odd": _odd(4000),
    "endless word": "bell" * 2500,
    "endless blank": " " * 9000 + "x",
    "short": "Édda",
    "empty": "",
}


def _sentencepiece(kind: str) -> PreTrainedTokenizerBase:
    """As Llama 2 has it: a blank before the text, words not parted, unknown characters as bytes."""
    bytes_ = [f"<0x{byte:02X}>" for byte in range(256)]
    if kind == "unigram":
        made = Tokenizer(models.Unigram())
        trainer = trainers.UnigramTrainer(
            vocab_size=200, special_tokens=["</s>", "<unk>"], unk_token="<unk>"
        )
    else:
        made = Tokenizer(models.BPE(byte_fallback=True))
        trainer = trainers.BpeTrainer(vocab_size=500, special_tokens=["</s>", *bytes_])
    trainer.show_progress = False
    made.pre_tokenizer = pre_tokenizers.Metaspace()
    made.train_from_iterator([_TALE, *_ODD[:5]] * 3, trainer)
    if kind == "llama":
        made.normalizer = normalizers.Sequence(
            [normalizers.Prepend("▁"), normalizers.Replace(" ", "▁")]
        )
        made.pre_tokenizer = None
    return PreTrainedTokenizerFast(tokenizer_object=made, eos_token="</s>")


@pytest.fixture(scope="module", params=["bpe", "characters", "words", "llama", "unigram"])
def tokenizer(request: pytest.FixtureRequest) -> PreTrainedTokenizerBase:
    """One of each kind."""
    if request.param in ("llama", "unigram"):
        return _sentencepiece(request.param)
    settings = TokenizerSettings(kind=request.param, vocabulary=400)
    return learn_tokenizer(settings, [_TALE], None)


@pytest.mark.parametrize("name", _TEXTS)
@pytest.mark.parametrize(("characters", "overlap"), [(1 << 19, 1 << 12), (1500, 256), (700, 100)])
def test_pieces_have_the_tokens_of_the_whole(
    tokenizer: PreTrainedTokenizerBase,
    name: str,
    characters: int,
    overlap: int,
    monkeypatch: pytest.MonkeyPatch,
):
    monkeypatch.setattr(long_text, "CHARACTERS", characters)
    monkeypatch.setattr(long_text, "OVERLAP", overlap)
    text = _TEXTS[name]
    found = list(encode_pieces(tokenizer, [text[at : at + 333] for at in range(0, len(text), 333)]))
    ids = [token for part in found for token in part.ids.tolist()]
    assert ids == encode(tokenizer, [text])[0].tolist()
    if name in ("tale", "odd") and characters < len(text):
        assert len(found) > 3


def test_each_token_is_told_with_the_byte_where_it_begins(monkeypatch: pytest.MonkeyPatch):
    monkeypatch.setattr(long_text, "CHARACTERS", 800)
    monkeypatch.setattr(long_text, "OVERLAP", 100)
    settings = TokenizerSettings(kind="characters")
    text = _TEXTS["tale"]
    tokenizer = learn_tokenizer(settings, [text], None)
    starts = np.concatenate([part.starts for part in encode_pieces(tokenizer, [text])])
    expected = [len(text[:at].encode()) for at in range(len(text))]
    assert starts.tolist() == expected
