"""Only new texts are hashed, and the file is a function of the texts."""

from collections.abc import Callable
from hashlib import sha256
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.parquet as pq
import pytest

pytest.importorskip("daft", reason="daft is not installed: pip install daft==0.7.26")

from pipeline import engine
from pipeline.dedup.errors import DedupError
from pipeline.dedup.sign import sign
from pipeline.dedup.text_keys import ids_of, keys_of, places_of, sha256_of
from pipeline.schema import DOCUMENTS

Words = Callable[[int, int], list[str]]


def _texts(words: Words, count: int) -> dict[str, str]:
    return {f"story-{seed}": " ".join(words(80, seed)) for seed in range(count)}


def test_only_new_texts_are_hashed(corpus: Any, words: Words, tmp_path: Path) -> None:
    corpus.add("oz", _texts(words, 20))
    earlier, target = corpus.signatures["oz"], tmp_path / "again.parquet"
    assert sign(corpus.documents["oz"], earlier, target) == {"texts": 20, "hashed": 0, "known": 20}
    assert target.read_bytes() == earlier.read_bytes()
    known = earlier.rename(tmp_path / "known.parquet")
    corpus.add("oz", _texts(words, 23))
    figures = sign(corpus.documents["oz"], known, target)
    assert figures == {"texts": 23, "hashed": 3, "known": 20}
    assert target.read_bytes() == corpus.signatures["oz"].read_bytes()


def test_what_is_gone_leaves_no_signature(corpus: Any, words: Words, tmp_path: Path) -> None:
    corpus.add("oz", _texts(words, 9))
    known = corpus.signatures["oz"].rename(tmp_path / "known.parquet")
    corpus.add("oz", _texts(words, 4))
    sign(corpus.documents["oz"], known, tmp_path / "now.parquet")
    assert pq.read_metadata(tmp_path / "now.parquet").num_rows == 4


def test_the_file_does_not_depend_on_order_groups_or_repeats(corpus: Any, words: Words) -> None:
    texts = _texts(words, 50)
    corpus.add("oz", texts)
    one = corpus.signatures["oz"].read_bytes()
    repeated = dict(reversed(texts.items())) | {"again": texts["story-7"]}
    corpus.add("oz", repeated, group=3)
    assert corpus.signatures["oz"].read_bytes() == one


def test_a_file_read_in_many_parts_is_signed_as_one(
    corpus: Any, words: Words, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    corpus.add("oz", _texts(words, 50), group=6)
    whole = corpus.signatures["oz"].read_bytes()
    monkeypatch.setattr(engine, "PART_BYTES", 1)
    assert len(list(engine._parts(corpus.documents["oz"], ["text"]))) == 9
    parted = tmp_path / "parted.parquet"
    assert sign(corpus.documents["oz"], None, parted)["hashed"] == 50
    assert parted.read_bytes() == whole


def test_what_is_no_sha256_is_named(corpus: Any, words: Words, tmp_path: Path) -> None:
    corpus.add("oz", _texts(words, 3))
    documents = corpus.documents["oz"]
    table = pq.read_table(documents)
    place = table.schema.get_field_index("text_sha256")
    for sums in (["no", "sum", "at all"], ["x" * 64] * 3):
        column = pa.array(sums, pa.string())
        pq.write_table(table.set_column(place, table.schema.field(place), column), documents)
        with pytest.raises(DedupError, match=r"oz\.parquet: a text_sha256 is no sha256; extract"):
            sign(documents, None, tmp_path / "s.parquet")
        with pytest.raises(DedupError, match=r"oz\.parquet: a text_sha256 is no sha256; extract"):
            corpus.matches()
    assert [path.name for path in tmp_path.glob("s*")] == []


def test_keys_stand_for_their_sums() -> None:
    sums = [sha256(bytes([number])).hexdigest() for number in range(200)]
    sums += ["00" * 32, "ab" * 31 + "00"]
    keys = keys_of(pa.array(["left out", *sums], pa.string())[1:])
    assert sha256_of(keys).to_pylist() == sums
    assert sha256_of(np.sort(keys)).to_pylist() == sorted(sums)
    assert ids_of(keys).tolist() == [int(name[:16], 16) for name in sums]
    in_order = np.sort(keys)
    wanted = keys_of(pa.array(["ff" * 32, *sums], pa.string()))
    assert places_of(in_order, wanted).tolist() == [-1, *(sorted(sums).index(n) for n in sums)]


def test_signatures_of_other_parameters_count_for_nothing(
    corpus: Any, words: Words, tmp_path: Path
) -> None:
    corpus.add("oz", _texts(words, 5))
    table = pq.read_table(corpus.signatures["oz"])
    other = tmp_path / "other.parquet"
    pq.write_table(table.replace_schema_metadata({"signatures": "minhash-9"}), other)
    assert sign(corpus.documents["oz"], other, tmp_path / "new.parquet")["hashed"] == 5
    corpus.signatures["oz"] = other
    with pytest.raises(DedupError, match=r"other\.parquet: made with other parameters"):
        corpus.matches()


def test_no_documents_are_no_signatures(tmp_path: Path) -> None:
    documents = tmp_path / "none.parquet"
    pq.write_table(DOCUMENTS.empty_table(), documents)
    figures = sign(documents, None, tmp_path / "signatures.parquet")
    assert figures == {"texts": 0, "hashed": 0, "known": 0}


def test_a_torn_file_and_an_older_one_are_named(tmp_path: Path) -> None:
    torn = tmp_path / "torn.parquet"
    torn.write_bytes(b"PAR1 and then the disk was full")
    with pytest.raises(DedupError, match=r"torn\.parquet: no whole Parquet file; extract"):
        sign(torn, None, tmp_path / "s.parquet")
    old = tmp_path / "old.parquet"
    pq.write_table(pa.table({"text": ["once"]}), old)
    with pytest.raises(DedupError, match=r"old\.parquet: lacks text_sha256; extract"):
        sign(old, None, tmp_path / "s.parquet")
    with pytest.raises(DedupError, match="no such file"):
        sign(tmp_path / "absent.parquet", None, tmp_path / "s.parquet")
    assert not (tmp_path / "s.parquet").exists()


def test_earlier_signatures_that_cannot_be_read_count_for_nothing(
    corpus: Any, words: Words, tmp_path: Path
) -> None:
    corpus.add("oz", _texts(words, 5))
    whole = corpus.signatures["oz"].read_bytes()
    table = pq.read_table(corpus.signatures["oz"])
    known, target = tmp_path / "known.parquet", tmp_path / "new.parquet"

    def hashed() -> int:
        figures = sign(corpus.documents["oz"], known, target)
        assert target.read_bytes() == whole
        return figures["hashed"]

    known.write_bytes(whole[: len(whole) // 2])
    assert hashed() == 5
    known.write_bytes(whole[:4] + bytes(2000) + whole[2004:])  # its end is whole
    assert hashed() == 5
    pq.write_table(table.select(["text_sha256"]), known)
    assert hashed() == 5
    other = table.schema.field("signature").with_type(pa.binary())
    column = table["signature"].cast(pa.binary())
    pq.write_table(table.set_column(1, other, column), known)
    assert hashed() == 5
    sums = pa.array(["no sum"] * 5, pa.string())
    pq.write_table(table.set_column(0, table.schema.field(0), sums), known)
    assert hashed() == 5
    known.write_bytes(whole)
    assert hashed() == 0
