"""Perplexity on held-out text, as bits per UTF-8 byte, beside perplexity per token and per word.

Perplexity per token does not compare models whose tokens differ; the bits a model needs for a byte
of the text do (Gao et al. 2020, The Pile, section 3.1). Every token of a document counts, each
once, and an unknown word at the cost of its spelling. The control tokens before it, a genre's among
them, and the one that would close it are no part of the text and do not. Every figure is a sum over
works, with an interval over works, so that models compare in pairs (`compare`).
"""

from collections.abc import Callable
from pathlib import Path
from typing import Any

from pipeline.model_spec import ModelSpec


def score(
    model_folder: Path,
    spec: ModelSpec,
    corpus: Path,
    folder: Path,
    *,
    split: str = "test",
    device: str | None = None,
    report: Callable[[str, int], None] = lambda scorer, documents: None,
) -> dict[str, Any]:
    """Score the model before and after training on a held-out split of `corpus`.

    Writes into `folder`, once all is measured: `works.parquet` (WORKS) of the model before and
    after, of an n-gram model of the training text, and of the model on a draw of that text about as
    large as the split; `scores.parquet` (SCORES) by group, with xz; `differences.parquet`
    (DIFFERENCES) from the model before and from the n-grams; `context.parquet` (CONTEXT). The
    default split is the one that training never looked at. `report` is told the scorer and the
    documents that it has scored so far. Returns figures. Raises ModelError where the split is empty
    or the model's output is no number, ManifestError where its documents were changed.
    """
    from pipeline.perplexity.held_out import measure  # torch takes its time

    return measure(model_folder, spec, corpus, folder, split=split, device=device, report=report)
