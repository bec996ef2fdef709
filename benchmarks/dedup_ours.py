"""Our side of dedup.py, in a process of its own: judge, sign, match, choose.

The rules judge in two processes, a file each, as the peer's do. Prints a JSON line after each
stage: its name and seconds; and lets the kernel's record of this process's peak begin anew.
"""

import argparse
import json
import time
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from multiprocessing import get_context
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

from pipeline.clean import FILTERS
from pipeline.clean.language import in_its_language
from pipeline.clean.verdict import Story
from pipeline.schema import DOCUMENTS

#: The peer's filter of languages downloads its model, so neither side names languages.
_RULES = [rule for rule in FILTERS if rule is not in_its_language]
_CORES = 2
_ROWS = 2_000


def main() -> None:
    """Find near-duplicates among the Parquet files of a folder."""
    options = argparse.ArgumentParser()
    options.add_argument("documents", type=Path)
    options.add_argument("folder", type=Path)
    options.add_argument("--no-rules", action="store_true", help="of all documents as they are")
    given = options.parse_args()
    folder: Path = given.folder
    folder.mkdir()
    files = {path.stem: path for path in sorted(given.documents.glob("[0-9].parquet"))}

    def stage(name: str, work: Callable[[], Any]) -> Any:
        Path("/proc/self/clear_refs").write_text("5")
        began = time.monotonic()
        result = work()
        print(json.dumps([name, time.monotonic() - began]), flush=True)
        return result

    if not given.no_rules:
        files = stage("rules", lambda: _judged(files, folder))
    from pipeline.dedup.choice import choose
    from pipeline.dedup.matches import find_matches
    from pipeline.dedup.sign import sign

    signatures = {name: folder / f"signatures-{name}.parquet" for name in files}
    stage("signatures", lambda: [sign(path, None, signatures[n]) for n, path in files.items()])

    def match() -> pa.Table:
        matches = find_matches(files, signatures, scratch=folder)
        pq.write_table(matches, folder / "matches.parquet")
        return matches

    matches = stage("matches", match)

    def choice() -> None:
        names = ["doc_id", "work_id", "characters"]
        removals = choose(matches, pq.read_table([*files.values()], columns=names), "longest")
        (folder / "removed.json").write_text(json.dumps([removal.doc_id for removal in removals]))

    stage("choice", choice)


def _judged(files: dict[str, Path], folder: Path) -> dict[str, Path]:
    """The documents that every rule keeps, and in `dropped-*.json` why the others go."""
    kept = {name: folder / f"kept-{name}.parquet" for name in files}
    with ProcessPoolExecutor(_CORES, get_context("spawn")) as pool:
        list(pool.map(_judge, files.values(), kept.values()))
    return kept


def _judge(documents: Path, kept: Path) -> None:
    dropped = {}
    with pq.ParquetFile(documents) as file, pq.ParquetWriter(kept, DOCUMENTS) as writer:
        for batch in file.iter_batches(_ROWS):
            stays = []
            names, texts = batch["doc_id"].to_pylist(), batch["text"].to_pylist()
            for name, text in zip(names, texts, strict=True):
                story = Story(text, "en")
                verdict = next(filter(None, (rule(story) for rule in _RULES)), None)
                stays.append(verdict is None)
                if verdict:
                    dropped[name] = verdict.reason
            writer.write_batch(batch.filter(pa.array(stays)))
    kept.with_name(f"dropped-{documents.stem}.json").write_text(json.dumps(dropped))


if __name__ == "__main__":
    main()
