"""The table of fresh sizes."""

import pytest
import torch
from transformers import GPT2Config, GPT2LMHeadModel

from pipeline.models.sizes import GPT2_SIZES

#: Parameters of the released checkpoints, in millions (Hugging Face counts, tied embeddings).
PUBLISHED = {"gpt2": 124, "gpt2-medium": 355, "gpt2-large": 774, "gpt2-xl": 1558}


@pytest.mark.parametrize("name", GPT2_SIZES)
def test_each_size_is_a_model_that_can_be_built(name: str):
    size = GPT2_SIZES[name]
    with torch.device("meta"):  # shapes without memory
        model = GPT2LMHeadModel(
            GPT2Config(
                n_layer=size.layers, n_embd=size.width, n_head=size.heads, n_positions=size.context
            )
        )
    if name in PUBLISHED:
        assert round(model.num_parameters() / 1e6) == PUBLISHED[name]
