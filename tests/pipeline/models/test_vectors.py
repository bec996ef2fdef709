"""Word vectors: the same in every process, read from every form of file, hostile files named."""

import os
import pickle
import struct
import subprocess
import sys
from collections.abc import Callable
from hashlib import sha256
from pathlib import Path

import numpy as np
import pytest
from transformers import PreTrainedTokenizerBase

from pipeline.model_spec import ModelError, TokenizerSettings, WordVectors
from pipeline.models.tokenizers import learn_tokenizer
from pipeline.models.vector_file import Vector, read_vectors
from pipeline.models.vectors import word_vectors
from tests.pipeline.conftest import story

TEXTS = [story(number) for number in range(40)]
WIDTH = 8
#: Of a file: also a word that differs in case, one with a blank, one beyond ASCII, a number.
WORDS = ["the", "fox", "bell", "edda", "märchen", "12", ",", "harrow"]


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    spec = TokenizerSettings(kind="words", min_count=2)
    return learn_tokenizer(spec, TEXTS, None, ["<BOS>", "<EOS>", "<fable>"])


@pytest.fixture(scope="module")
def vectors() -> dict[str, Vector]:
    drawn = np.random.default_rng(0).normal(2, 0.5, (len(WORDS), WIDTH)).astype(np.float32)
    return dict(zip(WORDS, drawn, strict=True))


def _glove(vectors: dict[str, Vector], end: str = "\n") -> bytes:
    lines = (" ".join([word, *map(repr, map(float, v))]) for word, v in vectors.items())
    return "".join(line + end for line in lines).encode()


def _text(vectors: dict[str, Vector]) -> bytes:
    # The original tool ends its lines with a blank.
    return f"{len(vectors)} {WIDTH}\n".encode() + _glove(vectors, " \n")


def _binary(vectors: dict[str, Vector]) -> bytes:
    rows = (f"{word} ".encode() + v.astype("<f4").tobytes() + b"\n" for word, v in vectors.items())
    return f"{len(vectors)} {WIDTH}\n".encode() + b"".join(rows)


FORMS: dict[str, Callable[[dict[str, Vector]], bytes]] = {
    "glove": _glove,
    "text": _text,
    "binary": _binary,
    "windows": lambda vectors: _glove(vectors, "\r\n"),
}


@pytest.mark.parametrize("form", FORMS)
def test_every_form_of_file_gives_the_same_vectors(
    form: str, vectors: dict[str, Vector], tmp_path: Path
):
    path = tmp_path / "vectors"
    path.write_bytes(FORMS[form](vectors))
    found = read_vectors(path, WIDTH, {*WORDS, "absent"})
    assert found.keys() == vectors.keys()
    for word, vector in vectors.items():
        np.testing.assert_array_equal(found[word], vector)
    assert read_vectors(path, WIDTH, {"fox"}).keys() == {"fox"}


@pytest.mark.parametrize("binary", [True, False])
def test_what_gensim_writes_is_read(binary: bool, vectors: dict[str, Vector], tmp_path: Path):
    models = pytest.importorskip("gensim.models")
    written = models.KeyedVectors(WIDTH)
    written.add_vectors(list(vectors), list(vectors.values()))
    path = tmp_path / "vectors"
    written.save_word2vec_format(str(path), binary=binary)
    found = read_vectors(path, WIDTH, set(WORDS))
    for word, vector in vectors.items():
        np.testing.assert_array_equal(found[word], vector)


def test_a_word_is_looked_up_without_its_blank_and_then_in_lower_case(
    tokenizer: PreTrainedTokenizerBase, vectors: dict[str, Vector], tmp_path: Path
):
    path = tmp_path / "glove.txt"
    path.write_bytes(_glove(vectors))
    matrix, known = word_vectors(WordVectors(file=str(path)), WIDTH, [], tokenizer, 0)
    assert matrix.shape == (len(tokenizer), WIDTH)
    assert matrix.dtype == np.float32
    entries = tokenizer.get_vocab()
    for entry, word in {" fox": "fox", " Edda": "edda", " Harrow": "harrow", ",": ","}.items():
        assert known[entries[entry]]
        np.testing.assert_array_equal(matrix[entries[entry]], vectors[word])
    for entry in (" tower", "<BOS>", "<EOS>", "<fable>", "<|endoftext|>", "<0x41>", " "):
        assert not known[entries[entry]]
    assert {entry.strip().lower() for entry, n in entries.items() if known[n]} <= set(WORDS)


def test_the_rest_is_drawn_like_those_known(
    tokenizer: PreTrainedTokenizerBase, vectors: dict[str, Vector], tmp_path: Path
):
    path = tmp_path / "glove.txt"
    path.write_bytes(_glove(vectors))
    settings = WordVectors(file=str(path))
    matrix, known = word_vectors(settings, WIDTH, [], tokenizer, 0)
    drawn = matrix[~known]
    assert len(np.unique(drawn, axis=0)) == len(drawn) > 200
    spread = matrix[known].std(axis=0)
    np.testing.assert_allclose(drawn.mean(axis=0), matrix[known].mean(axis=0), atol=0.2)
    np.testing.assert_allclose(drawn.std(axis=0), spread, rtol=0.3)
    again, _ = word_vectors(settings, WIDTH, [], tokenizer, 0)
    other, _ = word_vectors(settings, WIDTH, [], tokenizer, 1)
    assert (again == matrix).all()
    assert (other[~known] != drawn).any()
    assert (other[known] == matrix[known]).all()


HUGE = b"9000000000000000 8\n"


@pytest.mark.parametrize(
    ("content", "said"),
    [
        (pickle.dumps({"fox": [1.0]}), "is a pickle"),
        (b"\x93NUMPY\x01\x00v\x00", "numpy array without its words"),
        (b"\x1f\x8b\x08\x00", "unpack it"),
        (b"PK\x03\x04", "unpack it"),
        (struct.pack("<i", 793712314), "fastText's model"),
        (b"", "line 1 is neither"),
        (b"fox\n", "line 1 is neither"),
        (b"2 5\nfox 1 2 3 4 5\n", "have 5 values, but the model's embedding is 8 wide"),
        (b"fox 1 2 3\nbell 1 2 3\n", "write `embedding: 3`"),
        (b"fox 1 2 3 4 5 6 7 8\nbell 1 2 3\n", "line 2 has 3 values, not 8"),
        (b"fox 1 2 3 4 5 6 7 8\nbell 1 2 3 4 5 6 7 8 9\n", "line 2 has 9 values, not 8"),
        (b"a 1 2 3 4 5 6 7 8\nfox 1 2 3 4 x 6 7 8\n", "line 2: a value is no finite number"),
        (b"1 8\nfox 1 2 3 nan 5 6 7 8\n", "line 2: a value is no finite number"),
        (b"3 8\nfox 1 2 3 4 5 6 7 8\n", "announces 3 words, but 1"),
        (b"0 8\nfox 1 2 3 4 5 6 7 8\n", "announces 0 words, but 1"),
        (HUGE, "announces 9000000000000000 words, but 0"),
        (HUGE + b"fox " + bytes(32), "announces 9000000000000000 words, but 1"),
        (b"2 8\nfox " + bytes(32) + b"\nbell " + bytes(31), "announces 2 words, but 1"),
        (b"1 8\nfox " + bytes(32) + b"\nbell " + bytes(32), "goes on after the 1 words"),
        (b"1 8\nfox " + b"\xff" * 32, "word 1, 'fox': a value is no finite number"),
        (b"1 8\n" + bytes(100_000), "announces 1 words, but 0"),
    ],
)
def test_a_file_that_cannot_be_read_is_named(content: bytes, said: str, tmp_path: Path):
    path = tmp_path / "vectors.bin"
    path.write_bytes(content)
    with pytest.raises(ModelError) as caught:
        read_vectors(path, 8, {"fox", "bell"})
    assert str(path) in str(caught.value)
    assert said in str(caught.value)


def test_a_file_that_is_not_there_is_named(tmp_path: Path):
    for path in (tmp_path / "absent.txt", tmp_path):
        with pytest.raises(ModelError, match=r"cannot be read: .*vectors\.file"):
            read_vectors(path, 8, {"fox"})


def test_glove_may_have_words_with_blanks(tmp_path: Path):
    path = tmp_path / "glove.txt"
    path.write_bytes(b"fox 1 2 3\n. . . 4 5 6\nfox 7 8 9\nbell 7 8 9\n")
    found = read_vectors(path, 3, {"fox", "bell", "."})
    assert {word: vector.tolist() for word, vector in found.items()} == {
        "fox": [1, 2, 3],  # the first counts
        "bell": [7, 8, 9],
    }


def test_a_file_of_another_language_is_refused(tokenizer: PreTrainedTokenizerBase, tmp_path: Path):
    path = tmp_path / "glove.txt"
    path.write_bytes("обезьяна 1 2\n".encode())
    with pytest.raises(ModelError, match=r"none of the model's .* words has a vector in .*glove"):
        word_vectors(WordVectors(file=str(path)), 2, [], tokenizer, 0)


@pytest.mark.slow
def test_gensims_vectors_are_the_same_in_another_process(tokenizer: PreTrainedTokenizerBase):
    pytest.importorskip("gensim")
    settings = WordVectors(window=3, epochs=3)
    matrix, known = word_vectors(settings, WIDTH, iter(TEXTS), tokenizer, 5)
    code = (
        "import hashlib\n"
        "from pipeline.model_spec import TokenizerSettings, WordVectors\n"
        "from pipeline.models.tokenizers import learn_tokenizer\n"
        "from pipeline.models.vectors import word_vectors\n"
        f"texts = {TEXTS!r}\n"
        "spec = TokenizerSettings(kind='words', min_count=2)\n"
        "tokenizer = learn_tokenizer(spec, texts, None, ['<BOS>', '<EOS>', '<fable>'])\n"
        f"matrix, _ = word_vectors(WordVectors(window=3, epochs=3), {WIDTH}, texts, tokenizer, 5)\n"
        "print(hashlib.sha256(matrix.tobytes()).hexdigest())"
    )
    child = subprocess.run(
        [sys.executable, "-c", code],
        env=os.environ | {"PYTHONHASHSEED": "20"},
        capture_output=True,
        text=True,
        check=True,
    )
    assert child.stdout.strip() == sha256(matrix.tobytes()).hexdigest()
    entries = tokenizer.get_vocab()
    words = {entry for entry in entries if len(entry) > 2 and not entry.startswith("<")}
    assert all(known[entries[word]] for word in words)
    other, _ = word_vectors(settings, WIDTH, TEXTS, tokenizer, 6)
    assert (other[known] != matrix[known]).any()


def test_words_of_like_use_come_to_lie_together():
    pytest.importorskip("gensim")
    rng = np.random.default_rng(0)
    beasts, metals = ("fox", "hare", "otter", "stoat"), ("iron", "copper", "silver", "tin")
    lines = [f"The {rng.choice(beasts)} runs into the reeds and hides." for _ in range(300)]
    lines += [f"A smith melts {rng.choice(metals)} over coals to cast bells." for _ in range(300)]
    words = learn_tokenizer(TokenizerSettings(kind="words"), lines, None)
    matrix, _ = word_vectors(WordVectors(epochs=20), 16, [" ".join(lines)], words, 0)
    entries = words.get_vocab()
    unit = matrix / np.linalg.norm(matrix, axis=1, keepdims=True)

    def likeness(word: str, others: tuple[str, ...]) -> float:
        rows = [entries[f" {other}"] for other in others if other != word]
        return float((unit[rows] @ unit[entries[f" {word}"]]).mean())

    for word in beasts:
        assert likeness(word, beasts) > likeness(word, metals)


def test_without_gensim_the_remedy_is_named(
    tokenizer: PreTrainedTokenizerBase, monkeypatch: pytest.MonkeyPatch
):
    monkeypatch.setitem(sys.modules, "gensim.models", None)
    with pytest.raises(ModelError, match=r"pip install 'loremill\[vectors\]'"):
        word_vectors(WordVectors(), WIDTH, TEXTS, tokenizer, 0)


def test_words_seen_too_seldom_are_said(tokenizer: PreTrainedTokenizerBase):
    pytest.importorskip("gensim")
    for texts in (["A fox sings."], []):
        with pytest.raises(ModelError, match=r"vectors\.min_count \(9\)"):
            word_vectors(WordVectors(min_count=9), WIDTH, texts, tokenizer, 0)
