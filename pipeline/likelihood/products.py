"""The same figures in float32, as quickly as a CPU can: products of matrices and GELU.

torch gives float32 to MKL, which leaves AVX-512 idle on AMD's processors; oneDNN uses it (EPYC
with AVX-512: 92 GFLOP/s a core by the one, 206 by the other). torch goes to oneDNN where it may
round to bfloat16, and oneDNN rounds where the processor gains from it (AMX). GPT-2's GELU is
written in eight operations, each a pass over memory; torch has it as one. That the logits stay the
same is tried on the text at hand, or all stays as it was.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from functools import partial
from typing import Any

import torch
from torch import Tensor
from torch.nn.functional import gelu
from transformers import PreTrainedModel
from transformers.activations import NewGELUActivation

#: Tokens on which it is tried.
_TRIED = 32
#: Of the largest logit: beyond what another order of summing changes, far below bfloat16's 2**-8.
_TOLERANCE = 1e-5


@contextmanager
def quick_products(model: PreTrainedModel, ids: Tensor) -> Iterator[None]:
    """Within it a model in evaluation mode computes the same in less time.

    `ids`: some tokens of the text at hand, shape (batch, tokens). On a GPU nothing changes.
    """
    products: Any = getattr(torch.backends.mkldnn, "matmul", None)  # since torch 2.9
    if products is None or model.device.type != "cpu":
        yield
        return
    before = products.fp32_precision
    gelus: list[Any] = [part for part in model.modules() if isinstance(part, NewGELUActivation)]

    def restore() -> None:
        products.fp32_precision = before
        for part in gelus:
            part.__dict__.pop("forward", None)  # the class's own is seen again

    ids = ids[:1, :_TRIED]
    try:
        exact = model(input_ids=ids, use_cache=False).logits
        products.fp32_precision = "bf16"
        for part in gelus:
            part.forward = partial(gelu, approximate="tanh")
        quick = model(input_ids=ids, use_cache=False).logits
        if not bool((quick - exact).abs().max() <= _TOLERANCE * exact.abs().max()):
            restore()
        yield
    finally:
        restore()
