"""How much a model gains from what stands further back: bits per byte over the length of context.

The same tokens are foretold from at most 16 tokens before, 32, and so on, each time with a window
that moves by half its length, so that every point is measured as the main figure is (after
Khandelwal et al. 2018). A recurrent model begins each window with an empty state. The text is a
draw of the held-out one, so small that all points together read no more tokens than the main
figure does, but for a small split, which is read whole.
"""

from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import pyarrow as pa

from pipeline.models.framing import frame_of
from pipeline.models.initial import context_length
from pipeline.models.tokenizers import encode
from pipeline.perplexity.draw import draw
from pipeline.perplexity.groups import scores
from pipeline.perplexity.scoring import ModelScorer
from pipeline.schema import CONTEXT

#: The first point of the curve, in tokens.
SHORTEST = 16
#: The last one of a model that nothing bounds.
LONGEST = 1024
#: Bytes of a draw at least: less says nothing.
LEAST = 16_384

_OF_SCORES = ("model", "tokens", "bytes", "nats", "bits_per_byte", "low", "high")


def context_curve(
    scorer: ModelScorer,
    corpus: Path,
    split: str,
    size: int,
    *,
    name: str,
    seed: int,
    report: Callable[[int, int], None],
) -> pa.Table:
    """CONTEXT of the model called `name`; `size` is that of the split in bytes.

    `report` is told the context and the documents scored with it. The curve ends at the model's
    context, or where no document is longer.
    """
    most = context_length(scorer.model) or LONGEST
    points = [*_doubled(SHORTEST, most), most]
    documents = list(draw(corpus, split, max(LEAST, size // len(points)), seed=seed))
    frame = frame_of(scorer.tokenizer)
    encoded = encode(scorer.tokenizer, [document.text for document in documents])
    longest = max(
        len(frame.begin(document.genre)) + len(ids) - 1
        for document, ids in zip(documents, encoded, strict=True)
    )
    rows = []
    for context in points:
        windows = replace(scorer, context=context, stride=max(1, context // 2))
        sums = windows.score(documents, partial(report, context))
        whole, *_ = scores(sums.table(name, "trained", split), seed=seed)
        rows.append({"context": context} | {column: whole[column] for column in _OF_SCORES})
        if context >= longest:
            break
    return pa.Table.from_pylist(rows, schema=CONTEXT)


def _doubled(first: int, below: int) -> list[int]:
    """`first`, twice that, and so on below a bound."""
    found = []
    while first < below:
        found.append(first)
        first *= 2
    return found
