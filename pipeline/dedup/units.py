"""What is compared: the distinct texts of all documents, and the works they make up together.

Two editions of a book seldom cut it into the same chapters: a scene of one is three scenes of the
other, and no document resembles any. As wholes they do. The signature of a work is the least of
its texts' (see minhash.py), so nothing is hashed again for it.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from hashlib import sha256
from pathlib import Path

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq
from numpy.typing import NDArray

from pipeline.dedup.candidates import Ids, as_matrix, ids_of
from pipeline.dedup.errors import DedupError, check_columns
from pipeline.dedup.minhash import PERMUTATIONS, Signatures
from pipeline.dedup.sign import made_alike
from pipeline.schema import SIGNATURES

_ROWS = 20_000
Rows = NDArray[np.int64]


@dataclass(frozen=True)
class Units:
    """Documents in order of doc_id, their texts in order of sha256, works in order of name."""

    doc_ids: pa.Array
    texts: pa.Array  # sha256
    works: pa.Array
    text_of: Rows  # a document's text
    work_of: Rows  # a document's work

    @cached_property
    def _members(self) -> tuple[Rows, Rows]:
        """The distinct texts of each work one after the other, and where each work's begin."""
        pairs = np.unique(self.work_of * len(self.texts) + self.text_of)
        work, text = np.divmod(pairs, max(len(self.texts), 1))
        return text, np.searchsorted(work, np.arange(len(self.works) + 1))

    def texts_of(self, work: int) -> Rows:
        """The distinct texts of a work."""
        text, begins = self._members
        return text[begins[work] : begins[work + 1]]

    def sizes(self) -> Rows:
        """How many distinct texts each work has."""
        return np.diff(self._members[1])

    def signature_of(self, work: int, matrix: Signatures) -> Signatures:
        """The signature of a work's texts together."""
        least: Signatures = matrix[self.texts_of(work)].min(axis=0)
        return least

    def work_ids(self) -> Ids:
        """The works' ids among those of texts."""
        return ids_of(pa.array([_work_sha256(name) for name in self.works.to_pylist()]))


def read_units(documents: Mapping[str, Path]) -> Units:
    """The names in all documents. Memory: some 300 bytes a document. Raises DedupError."""
    columns = ["doc_id", "work_id", "text_sha256"]
    tables = []
    for franchise in sorted(documents):
        path = documents[franchise]
        remedy = f"extract the documents of {franchise!r} again"
        check_columns(path, [*columns, "text"], remedy)
        tables.append(pq.read_table(path, columns=columns))
    if not tables:
        raise DedupError("no franchise has documents; extract one first")
    table = pa.concat_tables(tables).sort_by("doc_id")
    names = table["doc_id"].combine_chunks()
    same = pc.equal(names[1:], names[:-1])
    if pc.any(same).as_py():
        twice = names[pc.index(same, True).as_py()].as_py()
        raise DedupError(
            f"document {twice!r} occurs twice; extract its franchise's documents again"
        )
    encoded = []
    for name in ("text_sha256", "work_id"):
        values = pc.unique(table[name])
        values = values.take(pc.sort_indices(values))
        encoded.append((values, pc.index_in(table[name], value_set=values)))
    (texts, text_of), (works, work_of) = encoded
    return Units(
        names,
        texts,
        works,
        text_of.to_numpy().astype(np.int64),
        work_of.to_numpy().astype(np.int64),
    )


def gather_signatures(units: Units, files: Mapping[str, Path], scratch: Path) -> Signatures:
    """The texts' signatures, a row each, in a file that is mapped into memory as it is asked for.

    Raises DedupError where a text has none, or they were made in another way.
    """
    shape = (max(len(units.texts), 1), PERMUTATIONS)
    matrix = np.memmap(scratch / "signatures", np.uint32, "w+", shape=shape)
    there = np.zeros(len(units.texts), bool)
    for franchise in sorted(files):
        path = files[franchise]
        if not made_alike(path):
            raise DedupError(f"{path}: made with other parameters; sign the documents again")
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS, columns=SIGNATURES.names):
                rows = pc.index_in(batch["text_sha256"], value_set=units.texts)
                known = pc.is_valid(rows).to_numpy(zero_copy_only=False)
                places = pc.drop_null(rows).to_numpy()
                matrix[places] = as_matrix(batch["signature"])[known]
                there[places] = True
    if not there.all():
        missing = np.flatnonzero(~there)
        raise DedupError(
            f"{', '.join(str(files[name]) for name in sorted(files))}: no signature of "
            f"{len(missing)} texts, first {units.texts[int(missing[0])].as_py()}; "
            "sign the documents again"
        )
    return matrix


def write_work_signatures(units: Units, matrix: Signatures, path: Path) -> None:
    """Write the signatures of the works that have several texts."""
    several = np.flatnonzero(units.sizes() > 1)
    with pq.ParquetWriter(path, SIGNATURES) as writer:
        for start in range(0, len(several), _ROWS):
            works = several[start : start + _ROWS].tolist()
            rows = [np.asarray(units.signature_of(work, matrix), "<u4").tobytes() for work in works]
            names = [_work_sha256(units.works[work].as_py()) for work in works]
            writer.write_table(
                pa.table({"text_sha256": names, "signature": rows}, schema=SIGNATURES)
            )


def _work_sha256(work_id: str) -> str:
    """Names a work where texts are named by their sha256."""
    return sha256(f"work\0{work_id}".encode()).hexdigest()
