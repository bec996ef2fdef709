"""Documents under a scorer, a model or n-grams, summed by work."""

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.corpus import CorpusDocument
from pipeline.likelihood import negative_log_likelihoods
from pipeline.models.framing import frame_of
from pipeline.models.tokenizers import encode
from pipeline.perplexity.ngram import NgramModel
from pipeline.perplexity.works import WorkSums
from pipeline.training.packing import batched

#: Documents whose windows are sorted by length and scored together.
DOCUMENTS_AT_ONCE = 512

#: Told how many documents are scored so far.
Report = Callable[[int], None]


@dataclass(frozen=True)
class ModelScorer:
    """A model on its device, as it scores text: every document after its control tokens."""

    model: PreTrainedModel
    tokenizer: PreTrainedTokenizerBase
    stride: int | None = None  # None: half of the context
    context: int | None = None  # None: all that the model attends to

    def score(self, documents: Iterable[CorpusDocument], report: Report) -> WorkSums:
        """Raises ModelError where the model's output is no number."""
        sums = WorkSums()
        frame = frame_of(self.tokenizer)
        for some in batched(documents, DOCUMENTS_AT_ONCE):
            encoded = encode(self.tokenizer, [document.text for document in some])
            begins = [frame.begin(document.genre) for document in some]
            nats = negative_log_likelihoods(self.model, encoded, begins, self.stride, self.context)
            for document, ids, loss in zip(some, encoded, nats, strict=True):
                sums.add(document, loss, len(ids))
            report(sums.documents)
        return sums


@dataclass(frozen=True)
class NgramScorer:
    """A model of n-grams of bytes: it has no tokens."""

    ngrams: NgramModel

    def score(self, documents: Iterable[CorpusDocument], report: Report) -> WorkSums:
        """As a model does."""
        sums = WorkSums()
        for some in batched(documents, DOCUMENTS_AT_ONCE):
            for document in some:
                sums.add(document, self.ngrams.nats(document.text))
            report(sums.documents)
        return sums
