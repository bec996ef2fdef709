"""Which documents, and which works, say the same, with their similarity.

Texts with one sha256 are the same; of the others, pairs that meet in a band of their signatures
(candidates.py) are compared by those, and what may reach the threshold by the shingles themselves.
Works of several documents are compared as wholes too (units.py). The result is a function of the
documents alone: rows are in order of names, and no order of files, partitions or runs enters.
"""

import math
import tempfile
from collections.abc import Callable, Mapping
from functools import lru_cache
from pathlib import Path

import numpy as np
import pyarrow as pa
from numpy.typing import NDArray

from pipeline.dedup.candidates import find_candidates
from pipeline.dedup.errors import DedupError
from pipeline.dedup.minhash import PERMUTATIONS, Signatures, agreement
from pipeline.dedup.policy import EXACT, NEAR, THRESHOLD, WORK, WORK_THRESHOLD
from pipeline.dedup.shingle_file import ShingleFile
from pipeline.dedup.shingles import Hashes, jaccard
from pipeline.dedup.signature_file import SignatureFile
from pipeline.dedup.text_keys import Ids, Rows, ids_of, places_of
from pipeline.dedup.units import Units, gather_signatures, read_units
from pipeline.schema import MATCHES

#: How many standard deviations below the threshold an estimate may lie: one in 30,000 is lower.
_DEVIATIONS = 4
_ROWS = 1 << 14

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
    near matches. `scratch` is a folder for files as large as the signatures (504 bytes a text) and
    the shingles of candidates (1.4 bytes for each of their texts'), on a Ray cluster one that all
    nodes share; by default the system's. Memory: 400 MB, as much as `candidates.MEMORY` for the
    query, 400 bytes a document, and the shingles of the two largest works that are compared, some
    3 bytes for each of theirs. Raises DedupError, EngineError.
    """
    for bound in (threshold, work_threshold):
        if not 0 < bound <= 1:
            raise DedupError(f"threshold {bound}: a similarity lies above 0 and up to 1")
    units = read_units(documents)
    files = [signatures[name] for name in sorted(signatures)]
    with tempfile.TemporaryDirectory(dir=scratch, prefix="dedup-") as folder:
        room = Path(folder)
        rows = gather_signatures(units, signatures, room)
        units.write_work_signatures(rows, room / "works.parquet")
        texts, works = _told_apart(units, *find_candidates([*files, room / "works.parquet"]))
        texts = _likely(texts, rows.read, threshold)
        works = _likely(works, lambda some: _of_works(units, rows, some), work_threshold)
        wanted = [texts.ravel(), *(units.texts_of(work) for work in np.unique(works).tolist())]
        sets = _shingles(units, documents, np.unique(np.concatenate(wanted)), room)
        near = _measured(texts, sets.__getitem__)
        # Pairs come in order of the first work, so one is seldom put together twice.
        whole = lru_cache(2)(lambda work: sets.union(units.texts_of(work).tolist()))
        alike = _measured(works, whole)
    near_pairs = _reaching(texts, near, threshold)
    return _table(units, near_pairs, _reaching(works, alike, work_threshold))


def _told_apart(units: Units, first: Ids, second: Ids) -> tuple[Pairs, Pairs]:
    """Candidates as pairs of texts and pairs of works, by position, in order."""
    texts, works = ids_of(units.texts), units.ids_of_several()
    by_id = np.argsort(works)
    # A work of one text has that one's signature, and a text alone in its work stands for it: of
    # several such works of one text the first does.
    alone = np.full(len(texts), -1)
    single = np.flatnonzero(units.sizes() == 1)[::-1]
    alone[units.first_texts(single)] = single
    text = np.stack([places_of(texts, ids) for ids in (first, second)], axis=1)
    work = np.stack([places_of(works[by_id], ids) for ids in (first, second)], axis=1)
    work = np.where(work < 0, work, units.several[by_id][work] if len(works) else work)
    are_texts = (text >= 0).all(axis=1)
    work = np.where((work < 0) & (text >= 0), alone[text], work)[~are_texts]
    work = np.sort(work[(work >= 0).all(axis=1) & (work[:, 0] != work[:, 1])], axis=1)
    return np.unique(np.sort(text[are_texts], axis=1), axis=0), np.unique(work, axis=0)


def _of_works(units: Units, signatures: SignatureFile, works: Rows) -> Signatures:
    return np.stack([units.signature_of(work, signatures) for work in works.tolist()])


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


def _measured(pairs: Pairs, shingles: Callable[[int], Hashes]) -> Similarity:
    """The similarity of each pair of sets."""
    found = np.empty(len(pairs), np.float64)
    for number, (one, other) in enumerate(pairs):
        found[number] = jaccard(shingles(int(one)), shingles(int(other)))
    return found


def _reaching(pairs: Pairs, similarity: Similarity, threshold: float) -> Found:
    return pairs[similarity >= threshold], similarity[similarity >= threshold]


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
    kinds = pa.repeat(kind, len(similarity))
    return pa.Table.from_arrays([kinds, *names, pa.array(similarity)], schema=MATCHES)
