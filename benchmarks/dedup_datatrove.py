"""The peer of dedup.py: datatrove's four MinHash stages, as its example sets them up.

Run with the Python of a venv of its own (requirements-dedup.txt). Prints one JSON line with the
seconds of each stage; clusters lie in `FOLDER/clusters`.
"""

import json
import sys
import time
from pathlib import Path

from datatrove.executor import LocalPipelineExecutor
from datatrove.pipeline.dedup import MinhashDedupSignature
from datatrove.pipeline.dedup.minhash import (
    MinhashConfig,
    MinhashDedupBuckets,
    MinhashDedupCluster,
    MinhashDedupFilter,
)
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers import ParquetWriter
from datatrove.utils.hashing import HashConfig

_CORES = 2


def main(documents: str, folder: str, buckets: int, rows: int) -> None:
    """Find near-duplicates among the Parquet files of a folder."""
    config = MinhashConfig(
        hash_config=HashConfig(precision=64),
        num_buckets=buckets,
        hashes_per_bucket=rows,
        n_grams=5,
    )
    reader = ParquetReader(documents, glob_pattern="[0-9].parquet", id_key="doc_id")
    stages = {
        "signatures": (_CORES, [reader, MinhashDedupSignature(f"{folder}/signatures", config)]),
        "buckets": (
            buckets,
            [MinhashDedupBuckets(f"{folder}/signatures", f"{folder}/buckets", config=config)],
        ),
        "clusters": (
            1,
            [
                MinhashDedupCluster(
                    f"{folder}/buckets", f"{folder}/clusters", config=config, save_cluster_id=True
                )
            ],
        ),
        "filter": (
            _CORES,
            [reader, MinhashDedupFilter(f"{folder}/clusters"), ParquetWriter(f"{folder}/kept")],
        ),
    }
    seconds = {}
    for name, (tasks, steps) in stages.items():
        began = time.monotonic()
        logs = str(Path(folder) / "logs" / name)
        LocalPipelineExecutor(
            steps, tasks=tasks, workers=min(tasks, _CORES), logging_dir=logs
        ).run()
        seconds[name] = time.monotonic() - began
    print(json.dumps(seconds))


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
