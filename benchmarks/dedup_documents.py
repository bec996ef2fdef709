"""Documents with near-duplicates planted at known similarity, the same for every system.

Stories of 60 to 2,000 words in paragraphs, drawn from 30,000 words, the commonest of them English
and the others made up, as often as words are in books (Zipf); one in 5,000 is a chapter as long as
a book. One in ten is followed somewhere by a copy in which single words are replaced, few to many,
so that copies have every similarity from 0.2 to 1; what it came to is reckoned from the word
5-shingles of both, with no code of either system, and recorded. Below 0.5 a pair is no duplicate:
those are there to be left alone. One in 50 is no story, but what a rule of cleaning is for.
"""

import json
import random
from collections.abc import Callable, Iterator
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.schema import DOCUMENTS

#: Documents lie in this many files: datatrove gives a file to a worker.
FILES = 2
_WORDS = 30_000
_ROWS = 2_000
#: The commonest words of English, so that the rule that asks for some finds them.
_COMMON = [
    "the",
    "of",
    "and",
    "to",
    "a",
    "in",
    "that",
    "he",
    "was",
    "it",
    "his",
    "her",
    "with",
    "as",
    "had",
    "she",
    "for",
    "on",
    "at",
    "by",
    "be",
    "not",
]
#: One document in so many is a chapter of a book's length, and so many words long.
_A_CHAPTER, _CHAPTER_WORDS = 5_000, 60_000
#: One document in so many is no story.
_NO_STORY = 50
#: Waiting to be copied; the text of each is held.
_WAITING = 2_000


def write_documents(folder: Path, megabytes: float) -> None:
    """Write `0.parquet`, `1.parquet`, `planted.jsonl` (one pair a line: ids, similarity) and
    `spoilt.jsonl` (one document a line that is no story: its id, and why)."""
    chance = random.Random(7)  # noqa: S311 - text, not secrets
    vocabulary = _COMMON + [_word(chance) for _ in range(_WORDS - len(_COMMON))]
    shares = np.cumsum([1 / (rank + 2.7) for rank in range(_WORDS)])
    numbers = np.random.default_rng(7)

    def draw(count: int) -> list[str]:
        places = np.searchsorted(shares, numbers.random(count) * shares[-1])
        return [vocabulary[place] for place in places.tolist()]

    writers = [pq.ParquetWriter(folder / f"{n}.parquet", DOCUMENTS) for n in range(FILES)]
    rows: list[list[dict[str, object]]] = [[] for _ in writers]
    written, number = 0, 0
    waiting: list[tuple[str, list[str]]] = []
    with (
        (folder / "planted.jsonl").open("w") as planted,
        (folder / "spoilt.jsonl").open("w") as spoilt,
    ):
        while written < megabytes * 1e6:
            if number % _NO_STORY == _NO_STORY - 1:
                why = list(_SPOILT)[number // _NO_STORY % len(_SPOILT)]
                spoilt.write(json.dumps([_name(number), why]) + "\n")
                text = _SPOILT[why](draw(400))
            elif waiting and chance.random() < 0.1:
                name, words = waiting.pop(chance.randrange(len(waiting)))
                copy = _changed(words, chance, vocabulary)
                pair = [name, _name(number), _similarity(words, copy)]
                planted.write(json.dumps(pair) + "\n")
                text = _sentences(copy)
            else:
                length = min(2000, max(60, int(chance.lognormvariate(5.8, 0.7))))
                if number % _A_CHAPTER == _A_CHAPTER // 2:
                    length = _CHAPTER_WORDS
                words = draw(length)
                if chance.random() < 0.15 and len(waiting) < _WAITING:
                    waiting.append((_name(number), words))
                text = _sentences(words)
            place = number % FILES
            rows[place].append(_row(number, text))
            written += len(text)
            number += 1
            if len(rows[place]) >= _ROWS:
                writers[place].write_table(pa.Table.from_pylist(rows[place], schema=DOCUMENTS))
                rows[place] = []
    for writer, left in zip(writers, rows, strict=True):
        writer.write_table(pa.Table.from_pylist(left, schema=DOCUMENTS))
        writer.close()


def planted_pairs(folder: Path) -> Iterator[tuple[str, str, float]]:
    """What was planted: two ids and the similarity of their texts."""
    for line in (folder / "planted.jsonl").read_text().splitlines():
        one, other, similarity = json.loads(line)
        yield one, other, similarity


def spoilt_documents(folder: Path) -> Iterator[str]:
    """The ids of those that are no stories."""
    for line in (folder / "spoilt.jsonl").read_text().splitlines():
        yield json.loads(line)[0]


def _word(chance: random.Random) -> str:
    syllables = chance.choices(["ba", "cor", "du", "fen", "gi", "hal", "jo", "kem", "lu", "mar",
                                "ni", "os", "pel", "qua", "rin", "sto", "tu", "vex", "wy", "zan"],
                               k=chance.randint(1, 4))  # fmt: skip
    return "".join(syllables)


def _changed(words: list[str], chance: random.Random, vocabulary: list[str]) -> list[str]:
    """A copy in which so many words are replaced that about a wanted similarity is left."""
    wanted = chance.uniform(0.2, 1.0)
    kept = 2 * wanted / (1 + wanted)  # share of the shingles that both have
    changes = round(len(words) * (1 - kept ** (1 / 5)))
    copy = list(words)
    for place in chance.sample(range(len(words)), changes):
        copy[place] = chance.choice(vocabulary)
    return copy


def _similarity(one: list[str], other: list[str]) -> float:
    first, second = (set(zip(*(w[n:] for n in range(5)), strict=False)) for w in (one, other))
    return len(first & second) / len(first | second)


def _sentences(words: list[str]) -> str:
    """The words as sentences of twelve, in paragraphs of five."""
    parts = [" ".join(words[start : start + 12]) for start in range(0, len(words), 12)]
    told = [f"{part[0].upper()}{part[1:]}." for part in parts]
    return "\n\n".join(" ".join(told[start : start + 5]) for start in range(0, len(told), 5))


def _lines(words: list[str], form: str) -> str:
    return "\n\n".join(form.format(" ".join(words[n : n + 8])) for n in range(0, len(words), 8))


#: What is no story, by the rule of cleaning that is to drop it; made of 400 words.
_SPOILT: dict[str, Callable[[list[str]], str]] = {
    "length": lambda words: _sentences(words[:15]),
    "bullets": lambda words: _lines(words, "- {}."),
    "ellipsis": lambda words: _lines(words, "{} ..."),
    "symbols": lambda words: " # ".join(_sentences(words).split(" ")),
    "letters": lambda words: " ".join(f"{word} {7 * len(word)}" for word in words) + ".",
    "common words": lambda words: _sentences([word for word in words if word not in _COMMON]),
    "lines": lambda words: _sentences(words[:60]) + "\n\n" + _sentences(words[:60] * 3),
    "passages": lambda words: _sentences(words[:30] * 8),
    "filler": lambda words: _sentences(words) + "\n\nLorem ipsum dolor sit amet, consectetur.",
}


def _name(number: int) -> str:
    return f"d{number:08d}"


def _row(number: int, text: str) -> dict[str, object]:
    name = _name(number)
    fixed = {
        "franchise": "bench",
        "source": "bench",
        "url": name,
        "title": name,
        "licence": "CC0-1.0",
        "language": "en",
    }
    own = {"doc_id": name, "work_id": name, "text": text, "characters": len(text)}
    digest = sha256(text.encode()).hexdigest()
    return fixed | own | {"text_sha256": digest, "words": text.count(" ") + 1}
