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

from pipeline.dedup.errors import DedupError, check_columns
from pipeline.dedup.minhash import Signatures
from pipeline.dedup.sign import made_alike
from pipeline.dedup.signature_file import SignatureFile, as_array, as_matrix
from pipeline.dedup.text_keys import Ids, Keys, Rows, ids_of, keys_of, places_of, sha256_of
from pipeline.schema import SIGNATURES

_ROWS = 20_000
_NO_KEYS: Keys = np.empty(0, "S32")


@dataclass(frozen=True)
class Units:
    """Documents in order of doc_id, their texts in order of sha256, works in order of name."""

    doc_ids: pa.Array
    texts: Keys
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

    def first_texts(self, works: Rows) -> Rows:
        """The least text of each of some works."""
        text, begins = self._members
        return text[begins[works]]

    def sizes(self) -> Rows:
        """How many distinct texts each work has."""
        return np.diff(self._members[1])

    def signature_of(self, work: int, signatures: SignatureFile) -> Signatures:
        """The signature of a work's texts together."""
        least: Signatures = signatures.read(self.texts_of(work)).min(axis=0)
        return least

    @cached_property
    def several(self) -> Rows:
        """The works that have several texts: a work of one has that one's signature."""
        return np.flatnonzero(self.sizes() > 1)

    def ids_of_several(self) -> Ids:
        """Their ids, among those of texts."""
        return ids_of(keys_of(pa.array(self._sha256(self.several), pa.string())))

    def _sha256(self, works: Rows) -> list[str]:
        """Names works where texts are named by their sha256."""
        names = self.works.take(pa.array(works)).to_pylist()
        return [sha256(f"work\0{name}".encode()).hexdigest() for name in names]

    def write_work_signatures(self, signatures: SignatureFile, path: Path) -> None:
        """Write the signatures of the works that have several texts, as those of texts are."""
        with pq.ParquetWriter(path, SIGNATURES) as writer:
            for start in range(0, len(self.several), _ROWS):
                works = self.several[start : start + _ROWS]
                rows = np.stack([self.signature_of(work, signatures) for work in works.tolist()])
                columns = [pa.array(self._sha256(works), pa.string()), as_array(rows)]
                writer.write_table(pa.Table.from_arrays(columns, schema=SIGNATURES))


def read_units(documents: Mapping[str, Path]) -> Units:
    """The names in all documents. Memory: some 400 bytes a document. Raises DedupError."""
    columns = ["doc_id", "work_id", "text_sha256"]
    names, works, keys = [], [], []
    for franchise in sorted(documents):
        path = documents[franchise]
        remedy = f"extract the documents of {franchise!r} again"
        check_columns(path, [*columns, "text"], remedy)
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS, columns=columns):
                names.append(batch["doc_id"])
                works.append(batch["work_id"])
                keys.append(keys_of(batch["text_sha256"], path))
    if not documents:
        raise DedupError("no franchise has documents; extract one first")
    doc_ids = pa.chunked_array(names, pa.string()).combine_chunks()
    order = pc.sort_indices(doc_ids)
    doc_ids = doc_ids.take(order)
    same = pc.equal(doc_ids[1:], doc_ids[:-1])
    if pc.any(same).as_py():
        twice = doc_ids[pc.index(same, True).as_py()].as_py()
        raise DedupError(
            f"document {twice!r} occurs twice; extract its franchise's documents again"
        )
    place = order.to_numpy()
    texts, text_of = np.unique(np.concatenate([*keys, _NO_KEYS]), return_inverse=True)
    encoded = pa.chunked_array(works, pa.string()).combine_chunks().dictionary_encode()
    by_name = pc.sort_indices(encoded.dictionary)
    rank = np.empty(len(by_name), np.int64)
    rank[by_name.to_numpy()] = np.arange(len(by_name))
    work_of = rank[encoded.indices.to_numpy()]
    return Units(doc_ids, texts, encoded.dictionary.take(by_name), text_of[place], work_of[place])


def gather_signatures(units: Units, files: Mapping[str, Path], scratch: Path) -> SignatureFile:
    """The texts' signatures, a row each, in a file in `scratch`.

    Raises DedupError where a text has none, or they were made in another way.
    """
    signatures = SignatureFile(scratch / "signatures", len(units.texts))
    for franchise in sorted(files):
        path = files[franchise]
        if not made_alike(path):
            raise DedupError(f"{path}: made with other parameters; sign the documents again")
        with pq.ParquetFile(path) as file:
            for batch in file.iter_batches(_ROWS, columns=SIGNATURES.names):
                places = places_of(units.texts, keys_of(batch["text_sha256"], path))
                known = places >= 0
                signatures.write(places[known], as_matrix(batch["signature"])[known])
    missing = signatures.missing()
    if len(missing):
        raise DedupError(
            f"{', '.join(str(files[name]) for name in sorted(files))}: no signature of "
            f"{len(missing)} texts, first {sha256_of(units.texts[missing[:1]])[0].as_py()}; "
            "sign the documents again"
        )
    return signatures
