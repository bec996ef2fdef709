"""Documents with near-duplicates planted at known similarity, the same for every system.

Stories of 60 to 2,000 words, drawn from 30,000 made-up words as often as words are in books (Zipf).
One in ten is followed somewhere by a copy in which single words are replaced, few to many, so that
copies have every similarity from 0.2 to 1; what it came to is reckoned from the word 5-shingles of
both, with no code of either system, and recorded. Below 0.5 a pair is no duplicate: those are there
to be left alone.
"""

import json
import random
from collections.abc import Iterator
from hashlib import sha256
from pathlib import Path

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.schema import DOCUMENTS

#: Documents lie in this many files: datatrove gives a file to a worker.
FILES = 2
_WORDS = 30_000
_ROWS = 2_000


def write_documents(folder: Path, megabytes: float) -> None:
    """Write `0.parquet`, `1.parquet` and `planted.jsonl` (one pair a line: ids, similarity)."""
    chance = random.Random(7)  # noqa: S311 - text, not secrets
    vocabulary = [_word(chance) for _ in range(_WORDS)]
    weights = [1 / (rank + 2.7) for rank in range(_WORDS)]
    steps = [0.0]
    for weight in weights:
        steps.append(steps[-1] + weight)
    writers = [pq.ParquetWriter(folder / f"{n}.parquet", DOCUMENTS) for n in range(FILES)]
    rows: list[list[dict[str, object]]] = [[] for _ in writers]
    written, number = 0, 0
    waiting: list[tuple[str, list[str]]] = []
    with (folder / "planted.jsonl").open("w") as planted:
        while written < megabytes * 1e6:
            if waiting and chance.random() < 0.1:
                name, words = waiting.pop(chance.randrange(len(waiting)))
                copy = _changed(words, chance, vocabulary)
                pair = [name, _name(number), _similarity(words, copy)]
                planted.write(json.dumps(pair) + "\n")
                words = copy
            else:
                length = min(2000, max(60, int(chance.lognormvariate(5.8, 0.7))))
                words = chance.choices(vocabulary, cum_weights=steps[1:], k=length)
                if chance.random() < 0.15:
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
    """The words as sentences of twelve."""
    parts = [" ".join(words[start : start + 12]) for start in range(0, len(words), 12)]
    return " ".join(f"{part[0].upper()}{part[1:]}." for part in parts)


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
    }
    own = {"doc_id": name, "work_id": name, "text": text, "characters": len(text)}
    digest = sha256(text.encode()).hexdigest()
    return fixed | own | {"text_sha256": digest, "words": text.count(" ") + 1}
