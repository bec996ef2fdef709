"""From logits to the next token of each row, as the row's setting says.

The distribution is that of transformers' processors, in their order, over rows of unlike settings;
but a penalty on repetition falls on the tokens of prompt and story alone, not on the control tokens
before them. With GPT-2 a story begins with the token that ends it, and a penalty on that one would
put off every end. A token is drawn by one number of the row's own, laid along the summed
distribution. A limit is a bound on probability, so that equally likely tokens are kept or left out
together, whatever order a sort puts them in.
"""

from collections.abc import Sequence

import numpy as np
import torch

from pipeline.model_spec import ModelError, SamplingSetting


class Choice:
    """The settings of some rows, each applied to its own."""

    def __init__(self, settings: Sequence[SamplingSetting], device: str = "cpu"):
        def column(values: list[float]) -> torch.Tensor:
            return torch.tensor(values, dtype=torch.float32, device=device)[:, None]

        self.penalised = any(setting.repetition_penalty != 1 for setting in settings)
        self.greedy = any(not setting.temperature for setting in settings)
        self.limited = any(setting.top_k or setting.top_p < 1 for setting in settings)
        self._penalty = column([setting.repetition_penalty for setting in settings])
        self._is_greedy = column([setting.temperature for setting in settings]) == 0
        self._temperature = column([setting.temperature or 1.0 for setting in settings])
        self._top_k = column([setting.top_k for setting in settings]).long()
        self._top_p = column([setting.top_p for setting in settings]).double()

    def draw(
        self, logits: torch.Tensor, seen: torch.Tensor | None, numbers: torch.Tensor
    ) -> list[int]:
        """A token for each row; `numbers` (rows, 1), float64, are from 0 to below 1."""
        summed = self.weights(logits, seen).cumsum(1, dtype=torch.float64)
        total = summed[:, -1:]
        below = torch.nextafter(total, torch.zeros_like(total))
        place = torch.minimum(numbers * total, below)
        return [int(token) for token in torch.searchsorted(summed, place, right=True)[:, 0]]

    def weights(self, logits: torch.Tensor, seen: torch.Tensor | None) -> torch.Tensor:
        """Shapes (rows, vocabulary); in proportion to the probabilities that are drawn from.

        `seen` marks the tokens that a penalty falls on; it may be None where no row has one. Raises
        ModelError where the logits are no numbers.
        """
        if not torch.isfinite(logits).all():
            raise ModelError("the model's logits are not finite; its training failed, train anew")
        if self.penalised:
            assert seen is not None
            lowered = torch.where(logits < 0, logits * self._penalty, logits / self._penalty)
            logits = torch.where(seen, lowered, logits)
        weights = (logits / self._temperature).softmax(1)
        if self.limited:
            weights = weights.masked_fill(weights < self._least(weights), 0.0)
        if self.greedy:
            likeliest = torch.zeros_like(logits).scatter_(1, logits.argmax(1, keepdim=True), 1.0)
            weights = torch.where(self._is_greedy, likeliest, weights)
        return weights

    def _least(self, weights: torch.Tensor) -> torch.Tensor:
        """Shape (rows, 1): the probability of the least likely token that is kept."""
        vocabulary = weights.shape[1]
        by_count, by_mass = self._top_k > 0, self._top_p < 1
        most = torch.where(by_count, self._top_k.clamp(max=vocabulary), vocabulary)
        ordered = _descending(weights)
        summed = ordered.cumsum(1, dtype=torch.float64)
        mass = torch.where(by_count, summed.gather(1, most - 1), 1.0)
        # A token is kept while those likelier than it have less than top_p of the mass.
        nucleus = (summed - ordered < self._top_p * mass).sum(1, keepdim=True)
        kept = torch.minimum(torch.where(by_mass, nucleus, vocabulary), most)
        return torch.where(by_count | by_mass, ordered.gather(1, kept - 1), 0.0)


def _descending(values: torch.Tensor) -> torch.Tensor:
    """Each row sorted; on a CPU by NumPy, in a thirtieth of the time that torch takes."""
    if values.device.type != "cpu":
        return values.sort(1, descending=True).values
    return torch.from_numpy(np.sort(-values.numpy(), axis=1)).neg_()
