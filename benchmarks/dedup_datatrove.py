"""The peer of dedup.py: datatrove's filters and four MinHash stages, as its examples have them.

The filters have our thresholds (pipeline.clean) where they have the rule at all, in the order of
FineWeb's example; the one for languages is left out on both sides, since it downloads its model.
Words are told apart by its tokenizer for English, spaCy's without a model. Run with the Python of a
venv of its own (requirements-dedup.txt). Prints a JSON line after each stage: its name and seconds.
Documents kept lie in `FOLDER/kept`, clusters of duplicates among them in `FOLDER/clusters`.
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
from datatrove.pipeline.filters import C4QualityFilter, GopherQualityFilter, GopherRepetitionFilter
from datatrove.pipeline.readers import ParquetReader
from datatrove.pipeline.writers import JsonlWriter, ParquetWriter
from datatrove.utils.hashing import HashConfig

_CORES = 2


def main(documents: str, folder: str, buckets: int, rows: int) -> None:
    """Clean, and find near-duplicates among, the Parquet files of a folder."""
    config = MinhashConfig(
        hash_config=HashConfig(precision=64),
        num_buckets=buckets,
        hashes_per_bucket=rows,
        n_grams=5,
    )
    kept = ParquetReader(f"{folder}/kept", glob_pattern="*.parquet")
    out = "${rank}.parquet"
    stages = {
        "rules": (
            _CORES,
            [
                ParquetReader(documents, glob_pattern="[0-9].parquet", id_key="doc_id"),
                *_filters(f"{folder}/dropped"),
                ParquetWriter(f"{folder}/kept", output_filename=out, compression="snappy"),
            ],
        ),
        "signatures": (_CORES, [kept, MinhashDedupSignature(f"{folder}/signatures", config)]),
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
            [kept, MinhashDedupFilter(f"{folder}/clusters"), ParquetWriter(f"{folder}/unique")],
        ),
    }
    for name, (tasks, steps) in stages.items():
        began = time.monotonic()
        logs = str(Path(folder) / "logs" / name)
        LocalPipelineExecutor(
            steps, tasks=tasks, workers=min(tasks, _CORES), logging_dir=logs
        ).run()
        print(json.dumps([name, time.monotonic() - began]), flush=True)


def _filters(dropped: str) -> list[object]:
    return [
        GopherRepetitionFilter(
            dup_line_frac=None,
            dup_para_frac=None,
            dup_line_char_frac=0.20,
            dup_para_char_frac=None,
            top_n_grams=((2, 0.20), (3, 0.18), (4, 0.18)),
            dup_n_grams=((10, 0.45),),
            exclusion_writer=JsonlWriter(f"{dropped}/repetition", compression=None),
        ),
        GopherQualityFilter(
            min_doc_words=25,
            max_doc_words=None,
            exclusion_writer=JsonlWriter(f"{dropped}/quality", compression=None),
        ),
        C4QualityFilter(
            remove_citations=False,
            filter_no_terminal_punct=False,
            min_num_sentences=-1,
            min_words_per_line=-1,
            max_word_length=-1,
            filter_policy=False,
            exclusion_writer=JsonlWriter(f"{dropped}/c4", compression=None),
        ),
    ]


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2], int(sys.argv[3]), int(sys.argv[4]))
