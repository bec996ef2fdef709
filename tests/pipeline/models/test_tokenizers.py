"""A vocabulary learned from a corpus, its control tokens, and text that stays text."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from tokenizers import Tokenizer, decoders, models, pre_tokenizers, processors
from transformers import AutoTokenizer, PreTrainedTokenizerBase, PreTrainedTokenizerFast

from pipeline.corpus import read_split
from pipeline.corpus.files import corpus_layout
from pipeline.model_spec import ModelError, TokenizerSettings
from pipeline.models.framing import frame_of
from pipeline.models.tokenizers import (
    DEFAULT_VOCABULARY,
    add_control_tokens,
    encode,
    end_token,
    learn_tokenizer,
)
from pipeline.training.packing import token_stream
from tests.corpus_files import row, write_files

TEXTS = ["the fox and the ferryman cross the fen", "the miller's son sings to the fox"] * 3
CONTROLS = ["<BOS>", "<EOS>", "<drama>", "<noir>"]
KINDS = get_args(TokenizerSettings.model_fields["kind"].annotation)


def learned(kind: str, control_tokens: list[str] | None = None) -> PreTrainedTokenizerBase:
    spec = TokenizerSettings(kind=kind, vocabulary=400)
    return learn_tokenizer(spec, TEXTS, 64, control_tokens or [])


def gpt2_folder(folder: Path) -> Path:
    """A tokenizer as GPT-2's repository has it: vocab.json and merges.txt."""
    bpe = json.loads(learned("bpe").backend_tokenizer.to_str())["model"]
    (folder / "vocab.json").write_text(json.dumps(bpe["vocab"]), "utf-8")
    merges = "".join(f"{a} {b}\n" for a, b in bpe["merges"])
    (folder / "merges.txt").write_text("#version: 0.2\n" + merges, "utf-8")
    (folder / "tokenizer_config.json").write_text('{"tokenizer_class": "GPT2Tokenizer"}')
    return folder


def llama_folder(folder: Path) -> Path:
    """A tokenizer in Llama's manner: ▁ before a text's first word, `<s>` before all."""
    named = ["<unk>", "<s>", "</s>", "<pad>", "<mask>"]
    entries = [*named, *(f"<0x{byte:02X}>" for byte in range(256))]
    entries += [*"▁abcdefghilmnorstyO.", "▁t", "▁th", "▁the"]
    merges = [("▁", "t"), ("▁t", "h"), ("▁th", "e")]
    vocabulary = {entry: number for number, entry in enumerate(entries)}
    bpe = Tokenizer(models.BPE(vocabulary, merges, unk_token="<unk>", byte_fallback=True))
    bpe.pre_tokenizer = pre_tokenizers.Metaspace(prepend_scheme="first", split=False)
    bpe.decoder = decoders.Sequence(
        [
            decoders.Replace("▁", " "),
            decoders.ByteFallback(),
            decoders.Fuse(),
            decoders.Strip(" ", 1, 0),
        ]
    )
    bpe.post_processor = processors.TemplateProcessing("<s> $A", special_tokens=[("<s>", 1)])
    tokenizer = PreTrainedTokenizerFast(
        tokenizer_object=bpe,
        unk_token="<unk>",
        bos_token="<s>",
        eos_token="</s>",
        extra_special_tokens=["<mask>"],
        clean_up_tokenization_spaces=False,
    )
    tokenizer.save_pretrained(folder)
    return folder


SOURCES = {"gpt2": gpt2_folder, "llama": llama_folder}


@pytest.fixture(params=[*KINDS, *SOURCES])
def make(request: pytest.FixtureRequest, tmp_path: Path) -> Callable[..., PreTrainedTokenizerBase]:
    """Makes a tokenizer of each kind and source, with control tokens."""

    def made(control_tokens: list[str]) -> PreTrainedTokenizerBase:
        if request.param in KINDS:
            return learned(request.param, control_tokens)
        folder = tmp_path / "base"
        folder.mkdir(exist_ok=True)
        source = str(SOURCES[request.param](folder))
        return learn_tokenizer(TokenizerSettings(source=source), [], 64, control_tokens)

    return made


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return learn_tokenizer(TokenizerSettings(vocabulary=300), TEXTS, 64)


def test_the_same_texts_give_the_same_vocabulary(tokenizer: PreTrainedTokenizerBase):
    again = learn_tokenizer(TokenizerSettings(vocabulary=300), TEXTS, 64)
    assert again.backend_tokenizer.to_str() == tokenizer.backend_tokenizer.to_str()
    assert 257 < len(tokenizer) <= 300


def test_it_is_loaded_as_it_was_saved(tokenizer: PreTrainedTokenizerBase, tmp_path: Path):
    tokenizer.save_pretrained(tmp_path)
    loaded = AutoTokenizer.from_pretrained(tmp_path)
    assert len(loaded) == len(tokenizer)
    assert end_token(loaded) == end_token(tokenizer) == loaded.pad_token_id == loaded.bos_token_id
    assert loaded(TEXTS[0])["input_ids"] == encode(tokenizer, TEXTS[:1])[0].tolist()


@settings(max_examples=50, deadline=None)
@given(text=st.text(max_size=60))
def test_no_text_is_lost(tokenizer: PreTrainedTokenizerBase, text: str):
    ids = encode(tokenizer, [text])[0]
    assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text


def test_a_control_token_in_a_page_is_text(tokenizer: PreTrainedTokenizerBase):
    hostile = "the fox<|endoftext|>the fen"
    ids = encode(tokenizer, [hostile])[0]
    assert end_token(tokenizer) not in ids
    assert tokenizer.decode(ids, skip_special_tokens=True) == hostile


@pytest.mark.parametrize("layout", ["stream", "documents", "lines"])
def test_no_text_of_a_corpus_becomes_a_control_token_of_it(tmp_path: Path, layout: str):
    hostile = [
        "<BOS> <drama> the fox <EOS>",
        "the fen<|endoftext|><|endoftext|>",
        "<EOS\\> the ferryman <EOS\\\\> sings",
        "<drama><noir>",
        "the miller's son\n<EOS>\n<BOS> <noir> the fox",
    ]
    genres = ["drama", None, "noir", "drama", "noir"]
    pairs = zip(hostile, genres, strict=True)
    rows = [row(number, text, genre=genre) for number, (text, genre) in enumerate(pairs)]
    write_files(tmp_path, {"train": rows}, layout)
    written = (tmp_path / "train.txt").read_text("utf-8")

    tokenizer = learn_tokenizer(TokenizerSettings(vocabulary=300), TEXTS, 64)
    controls = ["<BOS>", "<EOS>", "<drama>", "<noir>"]
    if layout == "lines":
        assert corpus_layout(tmp_path).control_tokens == tuple(controls)
    assert tokenizer.add_tokens(controls, special_tokens=True) == 4
    known = {*tokenizer.convert_tokens_to_ids(controls), end_token(tokenizer)}

    texts = [document.text for document in read_split(tmp_path, "train")]
    assert texts == hostile
    for text, ids in zip(texts, encode(tokenizer, texts), strict=True):
        assert not known & set(ids.tolist())
        assert tokenizer.decode(ids, clean_up_tokenization_spaces=False) == text
    if layout == "lines":
        # A tokenizer that reads the file as it stands meets each control token where the writer
        # put it, and nowhere else.
        met = [i for i in tokenizer(written, verbose=False)["input_ids"] if i in known]
        marks = [["<BOS>", *([f"<{genre}>"] if genre else []), "<EOS>"] for genre in genres]
        assert tokenizer.convert_ids_to_tokens(met) == [mark for line in marks for mark in line]


def test_a_line_of_the_file_and_a_typed_prompt_encode_as_the_document_does(
    make: Callable[..., PreTrainedTokenizerBase], tmp_path: Path
):
    stories = ["The fox crosses the fen. The bell rings.", "the miller sings", "Old Tam hides."]
    genres = ["drama", None, "Noir!"]
    rows = [row(n, text, genre=genres[n]) for n, text in enumerate(stories)]
    write_files(tmp_path, {"train": rows}, "lines")
    written = (tmp_path / "train.txt").read_text("utf-8")
    assert written.startswith(f"<BOS> <drama> {stories[0]} <EOS>\n<BOS> {stories[1]}")

    tokenizer = make(list(corpus_layout(tmp_path).control_tokens))
    stream = token_stream(read_split(tmp_path, "train"), tokenizer).tolist()
    assert tokenizer(written.removesuffix("\n"))["input_ids"] == stream

    frame = frame_of(tokenizer)
    for line, text, genre in zip(written.splitlines(), stories, genres, strict=True):
        document = [*frame.begin(genre), *encode(tokenizer, [text])[0].tolist(), frame.end]
        assert tokenizer(line)["input_ids"] == document
        prompt = line[: line.index(text) + 8]
        typed = [*frame.asked(genre), *encode(tokenizer, [text[:8]])[0].tolist()]
        assert tokenizer(prompt)["input_ids"] == typed
        begun = line[: line.index(text)].rstrip()
        assert tokenizer(begun)["input_ids"] == frame.asked(genre)


def test_control_tokens_are_kept_when_the_tokenizer_is_saved(
    make: Callable[..., PreTrainedTokenizerBase], tmp_path: Path
):
    tokenizer = make(CONTROLS)
    assert (tokenizer.bos_token, tokenizer.eos_token) == ("<BOS>", "<EOS>")
    assert tokenizer.pad_token is not None
    saved = tmp_path / "saved"
    tokenizer.save_pretrained(saved)
    loaded = AutoTokenizer.from_pretrained(saved)
    assert frame_of(loaded) == frame_of(tokenizer)
    assert len(loaded) == len(tokenizer)
    assert loaded.pad_token_id == tokenizer.pad_token_id
    line = "<BOS> <drama> The fox sings. <EOS>"
    assert loaded(line)["input_ids"] == tokenizer(line)["input_ids"]
    assert loaded.model_max_length == 64
    assert add_control_tokens(loaded, CONTROLS) == 0  # a training that goes on adds none twice
    assert frame_of(loaded) == frame_of(tokenizer)


def test_a_control_token_in_a_story_stays_text_whatever_the_tokenizer(
    make: Callable[..., PreTrainedTokenizerBase],
):
    tokenizer = make(CONTROLS)
    text = "the fox <EOS> <BOS> <noir> the fen <|endoftext|></s> sings"
    ids = encode(tokenizer, [text])[0]
    frame = frame_of(tokenizer)
    assert not {frame.start, frame.end, *frame.genres.values()} & set(ids.tolist())
    framed = [*frame.begin("drama"), *ids, frame.end]
    assert tokenizer.decode(framed, skip_special_tokens=True).strip() == text


def test_it_grows_by_the_control_tokens_and_without_any_stays_as_it_is():
    tokenizer = learned("bpe")
    before = len(tokenizer)
    assert add_control_tokens(tokenizer, []) == 0
    assert tokenizer.bos_token == "<|endoftext|>"
    assert add_control_tokens(tokenizer, CONTROLS) == 4
    assert add_control_tokens(tokenizer, [*CONTROLS, "<fable>"]) == 1
    assert len(tokenizer) == before + 5
    assert sorted(frame_of(tokenizer).genres) == ["<drama>", "<fable>", "<noir>"]


def test_a_genre_that_is_a_control_token_already_is_refused(tmp_path: Path):
    source = TokenizerSettings(source=str(llama_folder(tmp_path)))
    for token in ("<s>", "<mask>"):
        with pytest.raises(ModelError, match=f"{token} is a control token of the tokenizer"):
            learn_tokenizer(source, [], 64, ["<BOS>", "<EOS>", token])


def test_a_vocabulary_left_open_is_the_usual_one_for_bpe_and_all_for_others():
    text = " ".join(f"{a}{b}{c}" for a in "bcdfghkl" for b in "aeiou" for c in "lmnprst")
    assert len(learn_tokenizer(TokenizerSettings(), [text] * 3, None)) <= DEFAULT_VOCABULARY
    words = learn_tokenizer(TokenizerSettings(kind="words"), [text], None)
    assert {f" {word}" for word in text.split()[1:]} <= set(words.get_vocab())
    assert words.model_max_length > 10**9  # no context bounds it


def test_min_count_reaches_the_words():
    spec = TokenizerSettings(kind="words", min_count=4)
    assert " ferryman" not in learn_tokenizer(spec, TEXTS, None).get_vocab()  # three times
    assert " the" in learn_tokenizer(spec, TEXTS, None).get_vocab()


@pytest.mark.parametrize(
    ("files", "said"),
    [
        (None, "cannot be loaded"),
        ({}, "cannot be loaded"),
        # transformers makes an empty tokenizer of this and says nothing
        ({"tokenizer_config.json": '{"tokenizer_class": "GPT2Tokenizer"}'}, "is empty"),
        ({"tokenizer.json": '{"a": 1}', "tokenizer_config.json": "{}"}, "cannot be loaded"),
        ({"tokenizer.json": "<html>", "tokenizer_config.json": "[]"}, "cannot be loaded"),
    ],
)
def test_a_source_that_cannot_be_read_is_said(
    files: dict[str, str] | None, said: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setattr("huggingface_hub.constants.HF_HUB_OFFLINE", True)
    folder = tmp_path / "base"
    if files is not None:
        folder.mkdir()
        for name, content in files.items():
            (folder / name).write_text(content)
    with pytest.raises(ModelError, match=said) as caught:
        learn_tokenizer(TokenizerSettings(source=str(folder)), TEXTS, 64)
    assert "base" in str(caught.value)


def test_a_source_is_used_as_it_is(tmp_path: Path):
    source = gpt2_folder(tmp_path)
    tokenizer = learn_tokenizer(TokenizerSettings(source=str(source)), ["Ω"], 64)
    assert tokenizer.get_vocab() == learned("bpe").get_vocab()
    assert tokenizer.pad_token == tokenizer.eos_token == "<|endoftext|>"
