"""Our side of dedup.py, in a process of its own: sign, match, choose. Prints one JSON line."""

import json
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq

from pipeline.dedup.choice import choose
from pipeline.dedup.matches import find_matches
from pipeline.dedup.sign import sign


def main(documents: Path, folder: Path) -> None:
    """Find near-duplicates among the Parquet files of a folder."""
    folder.mkdir()
    files = {path.stem: path for path in sorted(documents.glob("[0-9].parquet"))}
    signatures = {name: folder / f"signatures-{name}.parquet" for name in files}
    seconds = {}
    began = time.monotonic()
    for name, path in files.items():
        sign(path, None, signatures[name])
    seconds["signatures"] = time.monotonic() - began
    began = time.monotonic()
    matches = find_matches(files, signatures, scratch=folder)
    pq.write_table(matches, folder / "matches.parquet")
    seconds["matches"] = time.monotonic() - began
    began = time.monotonic()
    names = ["doc_id", "work_id", "characters"]
    removals = choose(matches, pq.read_table(list(files.values()), columns=names), "longest")
    (folder / "removed.json").write_text(json.dumps([removal.doc_id for removal in removals]))
    seconds["choice"] = time.monotonic() - began
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(Path(sys.argv[1]), Path(sys.argv[2]))
