"""A causal language model in two parts: the body, and the head that makes logits of its output.

A head's logits dwarf everything else (GPT-2: 50,257 a token), so what needs few of them, or few at
a time, computes the head by itself. Some models do more to their logits (scale or cap them): that
the parts make the whole is tried on the text at hand, for no configuration says it reliably.
"""

from dataclasses import dataclass

import torch
from torch import Tensor, nn
from transformers import PreTrainedModel

from pipeline.models.plain import unwrapped

#: Tokens on which the parts are tried.
_TRIED = 32
#: Of the largest logit: beyond what another order of summing changes, below any scale or cap.
_TOLERANCE = 1e-5


@dataclass(frozen=True)
class Parts:
    """Body and head of a model."""

    body: nn.Module
    head: nn.Module
    width: int  # of what passes between them

    def hidden(self, ids: Tensor) -> Tensor:
        """What the head reads, shape (batch, tokens, width), of ids (batch, tokens)."""
        found: Tensor = self.body(input_ids=ids, use_cache=False)[0]
        return found


@torch.inference_mode()
def in_parts(model: PreTrainedModel, ids: Tensor) -> Parts | None:
    """The parts of a model in evaluation mode; None where they do not make its logits.

    `ids`: some tokens of the text at hand, shape (batch, tokens).
    """
    inner = unwrapped(model)
    body, head = inner.base_model, inner.get_output_embeddings()
    if body is inner or head is None:
        return None
    ids = ids[:1, :_TRIED]
    whole = model(input_ids=ids, use_cache=False).logits.float()
    hidden: Tensor = body(input_ids=ids, use_cache=False)[0]
    made = head(hidden).float()
    if made.shape != whole.shape:
        return None
    parts = Parts(body, head, hidden.shape[-1])
    apart = (made - whole).abs().max()
    return parts if bool(apart <= _TOLERANCE * whole.abs().max()) else None
