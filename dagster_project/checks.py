"""What must hold of an asset before anything downstream may use it."""

from collections.abc import Mapping
from pathlib import Path
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.parquet as pq

from crawlers.outcome import CrawlOutcome

#: Of the pages listed; below this something is wrong with the site or with how it is asked.
_MOST = 0.9
#: Of what is wrong so many are named.
_NAMED = 5


def pages_arrived(pages: int, outcome: CrawlOutcome) -> dg.AssetCheckResult:
    """The store holds pages, and nearly all that the sources list could be had."""
    had = outcome.fetched + outcome.unchanged
    return dg.AssetCheckResult(
        check_name="pages_arrived",
        passed=pages > 0 and had >= _MOST * outcome.listed,
        metadata={"pages": pages, "listed": outcome.listed, "fetched_or_unchanged": had},
        description=f"at least one page, and {_MOST:.0%} of those that the sources list",
    )


def politeness_kept(figures: Mapping[str, Any]) -> dg.AssetCheckResult:
    """By its record the crawl kept to what each site asks for: `figures` of its page."""
    return dg.AssetCheckResult(
        check_name="politeness_kept",
        passed=figures["kept"],
        metadata={"requests": figures["sent"], "broken": "\n".join(figures["broken"]) or "none"},
        description="\n".join(figures["broken"])
        or "robots.txt, delay, requests a minute and at a time, rests: all kept",
    )


def not_empty(figures: Any) -> dg.AssetCheckResult:
    """Extraction found stories; where it found none, why and what to do."""
    passed = figures["documents"] > 0 and figures["characters"] > 0
    reasons = ", ".join(f"{why} {count}" for why, count in figures["dropped_by_reason"].items())
    return dg.AssetCheckResult(
        check_name="not_empty",
        passed=passed,
        metadata={"documents": figures["documents"], "characters": figures["characters"]},
        description="at least one document with text"
        if passed
        else f"no document is left of {figures['pages']} pages; left out: {reasons or 'none'}; add "
        "text, or see what was left out in dropped.parquet and docs/cleaning.md which rule it was",
    )


def split_disjoint(manifest: Path, split_by: str) -> dg.AssetCheckResult:
    """No work stands in two splits; no document, where the corpus is split by document."""
    unit = "work_id" if split_by == "work" else "doc_id"
    table = pq.read_table(manifest, columns=["split", "kind", unit])
    table = table.filter(pc.equal(table["kind"], "document"))
    sides = table.group_by(unit).aggregate([("split", "count_distinct")])
    offenders = sides.filter(pc.greater(sides["split_count_distinct"], 1))[unit].sort()
    astride = len(offenders)
    first = ", ".join(offenders[:_NAMED].to_pylist())
    return dg.AssetCheckResult(
        check_name="split_disjoint",
        passed=astride == 0,
        metadata={
            f"{split_by}s": sides.num_rows,
            "in_two_splits": astride,
            "first": first or "none",
        },
        description=f"in two of train, validation and test: {first}"
        if first
        else f"no {split_by} stands in two of train, validation and test",
    )


def no_leak(leaks: Mapping[str, Any]) -> dg.AssetCheckResult:
    """No fifty words in a row of held-out text stand in train: `leaks` as `leaks_in` found them."""
    return dg.AssetCheckResult(
        check_name="no_leak",
        passed=leaks["leaking"] == 0,
        metadata={
            "documents_of_train": leaks["train"],
            "documents_held_out": leaks["held_out"],
            "leaking": leaks["leaking"],
            "first": "\n".join(leaks["first"]) or "none",
        },
        description="\n".join(leaks["first"])
        or "no fifty words in a row of validation or test stand in train.txt",
    )


def tuned_better(figures: Mapping[str, Any]) -> dg.AssetCheckResult:
    """Training surely lowered the bits per byte of the held-out text: figures of `perplexity`.

    With 95 % confidence, in pairs over works; of a single one, or of works that are all alike,
    nothing is sure.
    """
    apart = figures["difference"]["initial"]
    value, low, high = apart["value"], apart["low"], apart["high"]
    if high is None:
        said = (
            "one held-out work, or works that are all alike, have no interval, so nothing is sure; "
            "hold out more works"
        )
    else:
        said = (
            f"training changed the held-out text by {value:+.4f} bits per byte, 95 % interval "
            f"{low:+.4f} to {high:+.4f} over {figures['works']} works; below 0 is better"
        )
    return dg.AssetCheckResult(
        check_name="tuned_better",
        passed=high is not None and high < 0,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "bits_per_byte_before": figures["bits_per_byte_initial"],
            "bits_per_byte_after": figures["bits_per_byte"],
            "difference": value,
            **({} if high is None else {"low": low, "high": high}),
            "works": figures["works"],
        },
        description=said,
    )


def samples_sound(measured: pa.Table) -> dg.AssetCheckResult:
    """No story is empty and none loops: rows of QUALITY, of the last step.

    A warning, not an error: what loops is as often a setting, greedy above all, as the model, and
    the report shows both. The stories are named by number, for Dagster's database keeps no text.
    """
    bad = {
        what: measured.filter(measured[what])["sample"].to_pylist() for what in ("empty", "looping")
    }
    remedies = {
        "empty": "train longer, lower the temperature, or look for documents of a few words in the "
        "corpus",
        "looping": "raise repetition_penalty or temperature in samples.settings (greedy, at 0, "
        "loops soonest), or train longer",
    }
    told = [
        f"{what}: sample {', '.join(map(str, numbers[:_NAMED]))}"
        + (f" and {len(numbers) - _NAMED} more" if len(numbers) > _NAMED else "")
        + f"; {remedies[what]}"
        for what, numbers in bad.items()
        if numbers
    ]
    return dg.AssetCheckResult(
        check_name="samples_sound",
        passed=not told,
        severity=dg.AssetCheckSeverity.WARN,
        metadata={
            "stories": measured.num_rows,
            **{what: len(numbers) for what, numbers in bad.items()},
        },
        description="\n".join(told) or "no story of the last step is empty or loops",
    )


def no_copy_above_bound(figures: Mapping[str, Any]) -> dg.AssetCheckResult:
    """The model's stories copy no more than they may: `figures` of `pipeline.memorisation`.

    It stands on the report, not on what is measured: the report is written either way and says
    what to do; what would publish the model is downstream of it, and does not begin.
    """
    return dg.AssetCheckResult(
        check_name="no_copy_above_bound",
        passed=figures["passed"],
        metadata={
            "copied": _share(figures, "copied"),
            "held_out_human_text": _share(figures, "human_copied"),
            "bound": "none" if figures["bound"] is None else f"{figures['bound']:.2%}",
            "longest_words": figures["longest_words"],
        },
        description="\n".join([figures["verdict"], *figures["advice"]]),
    )


def _share(figures: Mapping[str, Any], name: str) -> str:
    """A share and its interval."""
    figure = figures["intervals"].get(name)
    if figure is None:
        return "not measured"
    low, high = figure["low"], figure["high"]
    of = "" if low is None or high is None else f" ({low:.2%} to {high:.2%})"
    return f"{figure['value']:.2%}{of}"
