"""What a model does with its context, found by trying it rather than by the name of its class.

One token is changed, and where the logits change tells what attends to it. A few tokens are enough,
and no random number is drawn.
"""

import inspect

import torch
from transformers import PreTrainedModel

from pipeline.models.plain import unwrapped

#: Tokens of a probe: two documents of half as many.
_TOKENS = 8


def looks_ahead(model: PreTrainedModel) -> bool:
    """Whether a token is foretold from what comes after it, as an encoder does."""
    ids = _ids(model)
    changed = ids.clone()
    changed[0, -1] = ids[0, 0]
    return _differ(model, ids, changed, slice(0, -1))


def keeps_documents_apart(model: PreTrainedModel) -> bool:
    """Whether positions that restart keep a packed document from what stands before it."""
    if "position_ids" not in inspect.signature(unwrapped(model).forward).parameters:
        return False
    ids, half = _ids(model), _TOKENS // 2
    changed = ids.clone()
    changed[0, 0] = ids[0, -1]
    positions = torch.arange(half, device=ids.device).repeat(2)[None]
    return not _differ(model, ids, changed, slice(half, None), position_ids=positions)


def _ids(model: PreTrainedModel) -> torch.Tensor:
    entries = int(model.config.get_text_config(decoder=True).vocab_size)
    ids: torch.Tensor = torch.arange(_TOKENS, device=model.device) * (entries // _TOKENS)
    return ids[None]


@torch.inference_mode()
def _differ(
    model: PreTrainedModel,
    one: torch.Tensor,
    other: torch.Tensor,
    where: slice,
    **inputs: torch.Tensor,
) -> bool:
    training = model.training
    model.eval()
    try:
        logits = [
            model(input_ids=ids, use_cache=False, **inputs).logits[0, where].float()
            for ids in (one, other)
        ]
    finally:
        model.train(training)
    scale = logits[0].std()
    return bool((logits[0] - logits[1]).abs().max() > 1e-3 * scale)
