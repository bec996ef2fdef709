"""How well a judge foretells a story: bits per byte under a model that did not write it.

A text that is easy to foretell reads fluently, and one that is far easier than human text of its
length is dull or loops: so it is the distance to human text that tells, not the lowest figure
(Holtzman et al. 2020, section 5). The judge is the same for all checkpoints: a model that is named,
else the base, else an n-gram model of the corpus. It reads a story after its prompt, whose own bits
do not count.
"""

import json
import math
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Literal, Protocol

from pipeline.corpus import read_split
from pipeline.likelihood import negative_log_likelihoods
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.models.framing import frame_of
from pipeline.models.pretrained import load_pretrained, quiet
from pipeline.models.tokenizers import encode
from pipeline.perplexity.ngram import NgramModel
from pipeline.training.packing import batched

#: Texts whose windows are sorted by length and scored together.
TEXTS_AT_ONCE = 128

Pair = tuple[str, str]  # what a text goes on from, and the text


class Judge(Protocol):
    """Foretells texts."""

    name: str

    def nats(self, pairs: list[Pair]) -> list[float]:
        """Negative log-likelihood of each text after its prompt."""


class NgramJudge:
    """The n-gram model of the training text."""

    def __init__(self, corpus: Path):
        self._model = NgramModel.learn(document.text for document in read_split(corpus, "train"))
        self.name = self._model.name

    def nats(self, pairs: list[Pair]) -> list[float]:
        """As of a document that goes on from the prompt, less the prompt's."""
        learned = self._model
        return [learned.nats(prompt + text) - learned.nats(prompt) for prompt, text in pairs]


class ModelJudge:
    """A pretrained causal language model."""

    def __init__(
        self, name: str, revision: str | None, device: str, what: Literal["base", "judge"]
    ):
        quiet()
        model, self._tokenizer = load_pretrained(name, revision, what=what)
        self._frame = frame_of(self._tokenizer)
        self._model = model.to(device)
        self._loaded = name
        # Where a folder lies is no one's business but this machine's, and tables are published.
        folder = Path(name).expanduser()
        self.name = folder.absolute().name if folder.is_dir() else name

    def nats(self, pairs: list[Pair]) -> list[float]:
        """Prompt and text are encoded each by itself, as they were when the story was drawn."""
        prompts = encode(self._tokenizer, [prompt for prompt, _ in pairs])
        texts = encode(self._tokenizer, [text for _, text in pairs])
        begins = [self._frame.begin(None) + prompt.tolist() for prompt in prompts]
        try:
            return negative_log_likelihoods(self._model, texts, begins)
        except ModelError as error:
            raise ModelError(f"the judge {self._loaded}: {error}") from error


def load_judge(spec: ModelSpec, model_folder: Path, corpus: Path, device: str) -> Judge:
    """The judge that `spec` names, else its base at the commit it was trained from, else n-grams.

    Raises ModelError with the remedy where it cannot be loaded.
    """
    if spec.measures.judge is not None:
        return ModelJudge(spec.measures.judge, spec.measures.judge_revision, device, "judge")
    if spec.base is not None:
        notes = json.loads((model_folder / "training.json").read_text("utf-8"))
        return ModelJudge(spec.base, notes["base_revision"] or spec.revision, device, "base")
    return NgramJudge(corpus)


def bits_of(
    judge: Judge,
    pairs: Sequence[Pair],
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[float | None]:
    """Bits of each whole text under the judge; None of a text without bytes.

    `report` is told the texts scored and their number.
    """
    bits: list[float | None] = [None] * len(pairs)
    rows = [row for row, (_, text) in enumerate(pairs) if text]
    done = 0
    for some in batched(rows, TEXTS_AT_ONCE):
        nats = judge.nats([pairs[row] for row in some])
        for row, loss in zip(some, nats, strict=True):
            bits[row] = loss / math.log(2)
        done += len(some)
        report(done, len(rows))
    return bits
