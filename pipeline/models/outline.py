"""A model's outline: its shapes without a byte of weights, on PyTorch's meta device.

What a training takes can be told from it before there is anything to run out of memory with.
"""

from collections.abc import Callable

import torch
from transformers import PreTrainedModel
from transformers.initialization import meta_device_safe_creation_ops

#: Is shown a model's outline before its weights are made, and refuses it by an error.
Look = Callable[[PreTrainedModel], None]


def outline(make: Callable[[], PreTrainedModel]) -> PreTrainedModel:
    """What `make` makes, as an outline; the global random stream is left alone."""
    with torch.random.fork_rng(), torch.device("meta"), meta_device_safe_creation_ops():
        return make()
