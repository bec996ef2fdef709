"""A trained model as anything loads it: no wrappers, no adapters, no rows that no token has.

The live model stays as it is, to the bit, for the training may go on: a second one of the same
class is laid over its weights, and only what differs is copied.
"""

import copy

import torch
from accelerate.utils import extract_model_from_parallel
from transformers import GenerationConfig, PreTrainedModel, PreTrainedTokenizerBase

from pipeline.models.lora import merged
from pipeline.models.vocabulary import cut_vocabulary, entries


def plain_model(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase) -> PreTrainedModel:
    """A model on the CPU that shares its weights with the given one and is only there to be saved.

    Its configurations name the tokenizer's control tokens; ids are those of the tokenizer.
    """
    live = unwrapped(model)
    config = copy.deepcopy(live.config)
    config._attn_implementation = "eager"  # every model can; it is not saved
    with torch.random.fork_rng(), torch.device("meta"), torch.no_grad():
        plain = type(live)(config)
    with torch.random.fork_rng(), torch.no_grad():
        weights = {}
        for name in plain.state_dict():
            place, _, leaf = name.rpartition(".")
            weights[name] = merged(live.get_submodule(place), leaf).detach().cpu()
        plain.load_state_dict(weights, assign=True)
        plain.tie_weights()
        cut_vocabulary(plain, entries(tokenizer))
    plain.generation_config = GenerationConfig(do_sample=True)
    text = plain.config.get_text_config(decoder=True)
    for settings in {
        id(one): one for one in (plain.config, text, plain.generation_config)
    }.values():
        settings.bos_token_id = tokenizer.bos_token_id
        settings.eos_token_id = tokenizer.eos_token_id
        settings.pad_token_id = tokenizer.pad_token_id
        if settings.pad_token_id is None:  # else `generate` warns at every call
            settings.pad_token_id = tokenizer.eos_token_id
    plain.config.use_cache = True
    return plain


def unwrapped(model: PreTrainedModel) -> PreTrainedModel:
    """The model inside what several GPUs, torch.compile and peft put around it."""
    inner = extract_model_from_parallel(model, keep_torch_compile=False)
    return inner.get_base_model() if hasattr(inner, "get_base_model") else inner
