"""FLOPs that a training needs by its model alone, for MFU: what was needed over what could be done.

A matrix multiplies in 2 FLOPs a weight and token, and in twice that again backward: 6 (PaLM,
Chowdhery et al. 2022, appendix B; nanoGPT's estimate_mfu). Rows that are looked up cost nothing,
an output layer does, tied to them or not. Computing activations twice is no need of the model's.
"""

from collections.abc import Iterator
from typing import Any

from torch import nn


def flops_per_token(model: nn.Module, block_size: int) -> float:
    """FLOPs, forward and backward, of one token of a block of `block_size` tokens.

    Weights that are frozen, as beneath adapters, have no gradient of their own: 4 a token, not 6.
    Attention counts the whole block at each token, as both sources do, although half is masked.
    """
    weights = sum(
        weight.numel() * used * (6 if weight.requires_grad else 4)
        for weight, used in _multiplied(model)
    )
    return weights + 6 * _attention(model, block_size)


def _multiplied(model: nn.Module) -> Iterator[tuple[nn.Parameter, float]]:
    """Matrices that a token is multiplied with, and the share of each that it meets."""
    for module in model.modules():
        if isinstance(module, nn.Embedding):
            continue
        for weight in module.parameters(recurse=False):
            if weight.ndim == 2:
                yield weight, 1.0
            elif weight.ndim == 3:  # a mixture's experts in one tensor: a token meets a few
                yield weight, _experts_a_token(model) / weight.shape[0]


def _attention(model: nn.Module, block_size: int) -> float:
    """Multiplications of a token with the block's keys and values; none in a recurrent model."""
    config: Any = getattr(model, "config", None)
    layers = getattr(config, "num_hidden_layers", None)
    heads = getattr(config, "num_attention_heads", None)
    if not layers or not heads:
        return 0.0
    width = getattr(config, "head_dim", None) or config.hidden_size // heads
    return float(2 * layers * heads * width * block_size)


def _experts_a_token(model: nn.Module) -> float:
    return float(getattr(getattr(model, "config", None), "num_experts_per_tok", None) or 1)
