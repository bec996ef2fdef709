"""Low-rank adapters on a base, trained in place of all its weights (Hu et al. 2021), with peft.

The rows of new control tokens are trained with them, since a base knows nothing of those. What is
saved is a plain model: `plain.py` adds the adapters to the weights they adapt.
"""

from collections.abc import Sequence
from typing import Any

import torch
from torch import nn
from transformers import PreTrainedModel
from transformers.pytorch_utils import Conv1D

from pipeline.model_spec import LoraSettings, ModelError


def add_adapters(
    model: PreTrainedModel, settings: LoraSettings, new_tokens: Sequence[int], seed: int
) -> PreTrainedModel:
    """The model as peft wraps it: only adapters and the rows of `new_tokens` are trained.

    The same seed gives the same adapters; the global random stream is left alone.
    Raises ModelError where peft is not installed or knows no place for the adapters.
    """
    try:
        from peft import LoraConfig, get_peft_model
    except ImportError as error:
        raise ModelError(
            "lora needs the package peft; install it with pip install 'loremill[lora]'"
        ) from error
    linear = {
        name.rpartition(".")[2]: isinstance(module, Conv1D)
        for name, module in model.named_modules()
        if isinstance(module, nn.Linear | Conv1D)
    }
    config = LoraConfig(
        r=settings.rank,
        lora_alpha=settings.alpha,
        lora_dropout=settings.dropout,
        target_modules=settings.targets,
        trainable_token_indices=_rows_to_train(model, new_tokens),
        fan_in_fan_out=any(linear.values()),  # Conv1D, as GPT-2 has it, keeps its weight transposed
        task_type="CAUSAL_LM",
    )
    # By its name each checkpoint would look the base up, on the hub if need be, and keep all of an
    # embedding that has grown since.
    model.name_or_path = ""
    try:
        with torch.random.fork_rng():
            torch.manual_seed(seed)
            adapted = get_peft_model(model, config)
    except ValueError as error:
        raise ModelError(
            f"lora.targets: {' '.join(str(error).split())[:300]} - {type(model).__name__} has "
            f"layers named {', '.join(sorted(linear))}; name those that shall have adapters"
        ) from error
    return adapted


def merged(layer: Any, name: str) -> torch.Tensor:
    """A layer's weight or buffer of this name, with what its adapters add to it."""
    value: torch.Tensor
    if name == "weight" and hasattr(layer, "token_adapter"):
        value = layer.token_adapter.get_merged_weights(layer.active_adapters)
    elif name == "weight" and hasattr(layer, "get_delta_weight"):
        value = layer.get_base_layer().weight + layer.get_delta_weight(layer.active_adapters[0])
    else:
        value = getattr(layer.get_base_layer() if hasattr(layer, "get_base_layer") else layer, name)
    return value


def _rows_to_train(
    model: PreTrainedModel, new_tokens: Sequence[int]
) -> dict[str, list[int]] | None:
    """By layer, as peft names them; it looks after an output that is tied to the embedding."""
    if not new_tokens:
        return None
    names = {id(module): name for name, module in model.named_modules()}
    inward, outward = model.get_input_embeddings(), model.get_output_embeddings()
    if outward.bias is not None:
        raise ModelError(
            f"lora: the output layer of {type(model).__name__} has a bias, with which new control "
            "tokens cannot be trained beside adapters; leave lora out, or use a corpus of another "
            "layout than lines"
        )
    tied = outward.weight.data_ptr() == inward.weight.data_ptr()
    layers = [inward] if tied else [inward, outward]
    return {names[id(layer)]: list(new_tokens) for layer in layers}
