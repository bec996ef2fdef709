"""A pretrained model and its tokenizer, from a folder or from the Hugging Face hub.

Weights are read from safetensors only, since a pickle can do anything
(https://huggingface.co/docs/hub/security-pickle), and adapters only once they are merged, since
their configuration leads to a base of its own.
"""

import logging
from pathlib import Path
from typing import Literal

import torch
import transformers
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.utils import find_adapter_config_file

from pipeline.model_spec import ModelError
from pipeline.models.outline import Look, outline
from pipeline.models.source import find_source
from pipeline.models.tokenizers import load_tokenizer

#: What the architectures call their rates of dropout.
_DROPOUTS = (
    *("resid_pdrop", "embd_pdrop", "attn_pdrop"),
    *("dropout", "attention_dropout", "hidden_dropout", "attn_dropout", "embd_dropout"),
)


def load_pretrained(
    base: str,
    revision: str | None = None,
    dropout: float | None = None,
    look: Look | None = None,
    what: Literal["base", "judge"] = "base",
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Any causal language model by folder or hub id, in float32 on the CPU, and its tokenizer.

    `dropout`, where given, replaces the rates of its configuration; `look` is shown the outline
    before the weights are read; errors name it by `what` it is. Raises ModelError with the remedy
    where it cannot be loaded, or where it is no causal language model.
    """
    source = find_source(what, base, revision)
    if Path(source.name).is_dir():
        _check_folder(Path(source.name))
    elif source.files and not any(name.endswith(".safetensors") for name in source.files):
        raise ModelError(
            f"{what} {base!r}: has no weights in safetensors, and pickled ones are never loaded; "
            "choose a revision or a copy of it that has them"
        )
    try:
        adapters = find_adapter_config_file(source.name, **source.where)
        if adapters is not None:  # transformers would follow it to the base that it names
            raise ModelError(
                f"{what} {base!r}: holds adapters, as its adapter_config.json says; merge them "
                "into their base first (merge_and_unload() of peft, then save_pretrained()), or "
                "take that file away where the weights are whole"
            )
        config = AutoConfig.from_pretrained(source.name, trust_remote_code=False, **source.where)
        config = _with_dropout(base, config, dropout)
        if look is not None:
            look(outline(lambda: AutoModelForCausalLM.from_config(config, dtype=torch.float32)))
        model, loading = AutoModelForCausalLM.from_pretrained(
            source.name,
            config=config,
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            **source.where,
        )
    except (OSError, ValueError, RuntimeError, ImportError, SafetensorError) as error:
        raise source.refused(str(error)) from error
    # transformers would go on with random weights in the place of either.
    if loading["missing_keys"]:
        raise ModelError(
            f"{what} {base!r}: its weights lack {', '.join(sorted(loading['missing_keys'])[:3])}…; "
            "are they those of a causal language model?"
        )
    return model, load_tokenizer(source)


def base_commit(model: PreTrainedModel) -> str | None:
    """The commit of the hub that the model was loaded from; None for a folder or a fresh model."""
    return getattr(model.config, "_commit_hash", None)


def quiet() -> None:
    """Keep the notices and bars of the libraries off a person's terminal; errors still raise."""
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)


def _check_folder(folder: Path) -> None:
    """Say what a folder lacks before a library says it in its own way."""
    names = {path.name for path in folder.iterdir()}
    if not any(name.endswith(".safetensors") for name in names):
        if found := sorted(name for name in names if name.endswith((".gguf", ".onnx", ".h5"))):
            raise ModelError(
                f"{folder}: {found[0]} is no format that can be trained; supported are weights in "
                "safetensors, as save_pretrained() of transformers writes them"
            )
        raise ModelError(
            f"{folder}: has no weights in safetensors, and pickled ones are never loaded; "
            "load them once where you trust them and save_pretrained() them again"
        )
    if "config.json" not in names:
        adapter = "adapter_config.json" in names
        raise ModelError(
            f"{folder}: has no config.json"
            + ("; it holds adapters only, merge them into their base first" if adapter else "")
            + "; a base is a folder as save_pretrained() of transformers writes it"
        )
    tokenizers = {"tokenizer.json", "tokenizer.model", "vocab.json", "tokenizer_config.json"}
    if not tokenizers & names:
        raise ModelError(
            f"{folder}: has no tokenizer; save the one that the model was trained with beside it "
            "(tokenizer.save_pretrained() of transformers)"
        )


def _with_dropout(base: str, config: PreTrainedConfig, rate: float | None) -> PreTrainedConfig:
    if rate is None:
        return config
    text = config.get_text_config(decoder=True)
    names = [name for name in _DROPOUTS if hasattr(text, name)]
    if not names and rate:
        raise ModelError(f"training.dropout: base {base!r} has none; leave it out")
    for name in names:
        setattr(text, name, rate)
    return config
