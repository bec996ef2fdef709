"""Which documents, and which works, say the same, with their similarity.

Texts with one sha256 are the same; of the others, pairs that meet in a band of their signatures
(candidates.py) are compared by those, and what may reach the threshold by the shingles themselves.
Works of several documents are compared as wholes too (units.py). The result is a function of the
documents alone: rows are in order of names, and no order of files, partitions or runs enters.
"""

import math
import tempfile
from collections.abc import Callable, Mapping, Sequence
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.dedup.candidates import Ids, find_candidates, ids_of
from pipeline.dedup.errors import DedupError
from pipeline.dedup.minhash import PERMUTATIONS, Signatures, agreement
from pipeline.dedup.policy import EXACT, NEAR, THRESHOLD, WORK, WORK_THRESHOLD
from pipeline.dedup.shingle_file import ShingleFile
from pipeline.dedup.shingles import jaccard
from pipeline.dedup.units import (
    Rows,
    Units,
    gather_signatures,
    read_units,
    write_work_signatures,
)
from pipeline.schema import MATCHES

#: How many standard deviations below the threshold an estimate may lie: one in 30,000 is lower.
_DEVIATIONS = 4
_ROWS = 1 << 16

Pairs = NDArray[np.int64]  # (pairs, 2)
Similarity = NDArray[np.float64]
Found = tuple[Pairs, Similarity]


def find_matches(
    documents: Mapping[str, Path],
    signatures: Mapping[str, Path],
    threshold: float = THRESHOLD,
    work_threshold: float = WORK_THRESHOLD,
    scratch: Path | None = None,
) -> pa.Table:
    """The pairs (schema MATCHES) of all franchises' documents; both mappings are by franchise.

    Of documents of one text each is matched with the first by name, which stands for them in the
    near matches. `scratch` is a folder for files as large as the signatures and the candidates'
    texts, on a Ray cluster one that all nodes share; by default the system's. Memory: 300 bytes a
    document, 1.3 kB a text in the query, and the shingles of the two largest works that are
    compared, some 3 bytes for each of theirs. Raises DedupError, EngineError.
    """
    for bound in (threshold, work_threshold):
        if not 0 < bound <= 1:
            raise DedupError(f"threshold {bound}: a similarity lies above 0 and up to 1")
    units = read_units(documents)
    files = [signatures[name] for name in sorted(signatures)]
    with tempfile.TemporaryDirectory(dir=scratch, prefix="dedup-") as folder:
        room = Path(folder)
        matrix = gather_signatures(units, signatures, room)
        write_work_signatures(units, matrix, room / "works.parquet")
        texts, works = _told_apart(units, *find_candidates([*files, room / "works.parquet"]))
        texts = _likely(texts, lambda rows: matrix[rows], threshold)
        works = _likely(works, lambda rows: _of_works(units, matrix, rows), work_threshold)
        wanted = [texts.ravel(), *(units.texts_of(work) for work in np.unique(works).tolist())]
        sets = _shingles(units, documents, np.unique(np.concatenate(wanted)), room)
        near = [jaccard(sets[one], sets[other]) for one, other in texts.tolist()]
        # Pairs come in order of the first work, so one is seldom put together twice.
        whole = lru_cache(2)(lambda work: sets.union(units.texts_of(work).tolist()))
        alike = [jaccard(whole(one), whole(other)) for one, other in works.tolist()]
    near_pairs = _reaching(texts, near, threshold)
    return _table(units, near_pairs, _reaching(works, alike, work_threshold))


def _told_apart(units: Units, first: Ids, second: Ids) -> tuple[Pairs, Pairs]:
    """Candidates as pairs of texts and pairs of works, by position, in order."""
    texts, works = ids_of(units.texts), units.work_ids()
    by_id = np.argsort(works)
    # A work of one text has that one's signature, and a text alone in its work stands for it.
    alone = np.full(len(texts), -1)
    for work in np.flatnonzero(units.sizes() == 1)[::-1].tolist():
        alone[units.texts_of(work)] = work
    text = np.stack([_position(texts, ids) for ids in (first, second)], axis=1)
    work = np.stack([_position(works, ids, by_id) for ids in (first, second)], axis=1)
    are_texts = (text >= 0).all(axis=1)
    work = np.where((work < 0) & (text >= 0), alone[text], work)[~are_texts]
    work = np.sort(work[(work >= 0).all(axis=1) & (work[:, 0] != work[:, 1])], axis=1)
    return np.unique(np.sort(text[are_texts], axis=1), axis=0), np.unique(work, axis=0)


def _position(names: Ids, wanted: Ids, order: Rows | None = None) -> Rows:
    """Where each wanted name stands among the names, -1 where it does not."""
    if not len(names):
        return np.full(len(wanted), -1)
    place = np.minimum(np.searchsorted(names, wanted, sorter=order), len(names) - 1)
    place = place if order is None else order[place]
    return np.where(names[place] == wanted, place, -1)


def _of_works(units: Units, matrix: Signatures, works: Rows) -> Signatures:
    return np.stack([units.signature_of(work, matrix) for work in works.tolist()])


def _likely(pairs: Pairs, signatures: Callable[[Rows], Signatures], threshold: float) -> Pairs:
    """The pairs whose signatures do not rule out that they reach the threshold."""
    deviation = math.sqrt(threshold * (1 - threshold) / PERMUTATIONS)
    kept = [pairs[:0]]
    for start in range(0, len(pairs), _ROWS):
        part = pairs[start : start + _ROWS]
        estimate = agreement(signatures(part[:, 0]), signatures(part[:, 1]))
        kept.append(part[estimate >= threshold - _DEVIATIONS * deviation])
    return np.concatenate(kept)


def _shingles(units: Units, documents: Mapping[str, Path], texts: Rows, room: Path) -> ShingleFile:
    paths = [documents[name] for name in sorted(documents)]
    return ShingleFile(paths, units.texts, texts, room / "shingles")


def _reaching(pairs: Pairs, similarity: Sequence[float], threshold: float) -> Found:
    figures = np.array(similarity, np.float64)
    return pairs[figures >= threshold], figures[figures >= threshold]


def _table(units: Units, near: Found, works: Found) -> pa.Table:
    """The rows of MATCHES; of documents and works the order is that of their names."""
    _, stands_for = np.unique(units.text_of, return_index=True)  # a text's first document
    first = stands_for[units.text_of]
    others = np.flatnonzero(first != np.arange(len(first)))
    same = np.stack([first[others], others], axis=1)
    tables = [_of_documents(units, EXACT, same, np.ones(len(same)))]
    pairs, similarity = near
    tables.append(_of_documents(units, NEAR, np.sort(stands_for[pairs], axis=1), similarity))
    pairs, similarity = works
    names = [units.works.take(pa.array(side)) for side in pairs.T]
    absent = pa.nulls(len(pairs), pa.string())
    tables.append(_rows(WORK, [absent, absent, *names], similarity))
    order = [(name, "ascending") for name in MATCHES.names if name != "similarity"]
    return pa.concat_tables(tables).sort_by(order).combine_chunks()


def _of_documents(units: Units, kind: str, pairs: Pairs, similarity: Similarity) -> pa.Table:
    names = [units.doc_ids.take(pa.array(side)) for side in pairs.T]
    works = [units.works.take(pa.array(units.work_of[side])) for side in pairs.T]
    return _rows(kind, [*names, *works], similarity)


def _rows(kind: str, names: list[pa.Array], similarity: Similarity) -> pa.Table:
    kinds = pa.array([kind] * len(similarity), pa.string())
    return pa.Table.from_arrays([kinds, *names, pa.array(similarity)], schema=MATCHES)
