"""What must hold of an asset before anything downstream may use it."""

from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow.compute as pc
import pyarrow.parquet as pq

from crawlers.page_store import CrawlOutcome


def pages_arrived(pages: int, outcome: CrawlOutcome) -> dg.AssetCheckResult:
    """The store holds pages, and most of what was listed could be had."""
    failed = len(outcome.failures)
    return dg.AssetCheckResult(
        check_name="pages_arrived",
        passed=pages > 0 and failed <= outcome.listed // 10,
        metadata={"pages": pages, "listed": outcome.listed, "failed": failed},
        description="at least one page, and no more than a tenth of those listed failed",
    )


def not_empty(figures: Any) -> dg.AssetCheckResult:
    """Extraction found stories."""
    return dg.AssetCheckResult(
        check_name="not_empty",
        passed=figures["documents"] > 0 and figures["characters"] > 0,
        metadata={"documents": figures["documents"], "characters": figures["characters"]},
        description="at least one document with text",
    )


def split_disjoint(manifest: Path) -> dg.AssetCheckResult:
    """No document stands in two splits, and no work where the split is by work."""
    table = pq.read_table(manifest, columns=["split", "kind", "doc_id"])
    table = table.filter(pc.equal(table["kind"], "document"))
    sides = table.group_by("doc_id").aggregate([("split", "count_distinct")])
    astride = pc.sum(pc.greater(sides["split_count_distinct"], 1)).as_py() or 0
    return dg.AssetCheckResult(
        check_name="split_disjoint",
        passed=astride == 0,
        metadata={"documents": sides.num_rows, "in_two_splits": astride},
        description="no document or work stands in two of train, validation and test",
    )


def tuned_better(before: float, after: float) -> dg.AssetCheckResult:
    """Training lowered the bits per byte of the held-out text."""
    return dg.AssetCheckResult(
        check_name="tuned_better",
        passed=after < before,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={"bits_per_byte_before": before, "bits_per_byte_after": after},
        description="fewer bits per byte of held-out text than before training",
    )
