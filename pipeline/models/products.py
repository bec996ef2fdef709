"""Matrices multiplied in float32 by the quicker of the two libraries that torch has on a CPU.

torch gives float32 to MKL, which leaves AVX-512 idle on AMD's processors; oneDNN uses it (EPYC
with AVX-512: 92 GFLOP/s a core by the one, 206 by the other). torch goes to oneDNN where it may
round to bfloat16, and oneDNN rounds where the processor gains from it (AMX). Whether it does is
tried on the text at hand: it is used only where it gives the same logits.
"""

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from transformers import PreTrainedModel

#: Tokens on which it is tried.
_TRIED = 32
#: Of the largest logit: beyond what another order of summing changes, far below bfloat16's 2**-8.
_TOLERANCE = 1e-5


@contextmanager
def quick_products(model: PreTrainedModel, ids: Tensor) -> Iterator[None]:
    """Within it a model in evaluation mode computes the same, as quickly as the CPU can.

    `ids`: some tokens of the text at hand, shape (batch, tokens). Elsewhere nothing changes; nor
    does it on a GPU.
    """
    products: Any = getattr(torch.backends.mkldnn, "matmul", None)  # since torch 2.9
    if products is None or model.device.type != "cpu":
        yield
        return
    before = products.fp32_precision
    ids = ids[:1, :_TRIED]
    try:
        exact = model(input_ids=ids, use_cache=False).logits
        products.fp32_precision = "bf16"
        quick = model(input_ids=ids, use_cache=False).logits
        if not bool((quick - exact).abs().max() <= _TOLERANCE * exact.abs().max()):
            products.fp32_precision = before
        yield
    finally:
        products.fp32_precision = before
