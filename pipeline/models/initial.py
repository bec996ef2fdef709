"""A model as it is before training: a pretrained base, or a fresh one of a named size.

Weights are read from safetensors only and no code of a model's repository is run, since both a
pickle and such code can do anything (https://huggingface.co/docs/hub/security-pickle).
"""

import logging
from pathlib import Path
from typing import Any

import torch
import transformers
from safetensors import SafetensorError
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from pipeline.corpus import read_split
from pipeline.corpus.files import corpus_layout
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.models.sizes import GPT2_SIZES
from pipeline.models.tokenizers import end_token, learn_tokenizer


def load_initial(
    spec: ModelSpec, corpus: Path, tokenizer: PreTrainedTokenizerBase | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The untrained or base model that `spec` names, in float32 on the CPU, and its tokenizer.

    A fresh model's vocabulary is learned from the train split of `corpus`, unless the `tokenizer`
    learned earlier is given. The same spec and corpus give the same weights.
    Raises ModelError where a base cannot be loaded.
    """
    quiet()
    if spec.size is None:
        model, tokenizer = _pretrained(spec)
    else:
        size = GPT2_SIZES[spec.size]
        context = spec.training.block_size or size.context
        if tokenizer is None:
            texts = (document.text for document in read_split(corpus, "train"))
            control_tokens = corpus_layout(corpus).control_tokens
            tokenizer = learn_tokenizer(spec.tokenizer, texts, context, control_tokens)
        config = GPT2Config(
            vocab_size=len(tokenizer),
            n_positions=context,
            n_embd=size.width,
            n_layer=size.layers,
            n_head=size.heads,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
            **_dropout(spec.training.dropout or 0.0),
        )
        with torch.random.fork_rng():
            torch.manual_seed(spec.training.seed)
            model = GPT2LMHeadModel(config)
    return model, tokenizer


def load_trained(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A model that was exported to `folder`, in float32 on the CPU, and its tokenizer."""
    quiet()
    return _load(str(folder), None, {})


def context_length(model: PreTrainedModel) -> int:
    """The most tokens the model attends to."""
    return int(model.config.max_position_embeddings)


def base_commit(model: PreTrainedModel) -> str | None:
    """The commit of the hub that the model was loaded from; None for a folder or a fresh model."""
    return getattr(model.config, "_commit_hash", None)


def quiet() -> None:
    """Keep the notices and bars of the libraries off a person's terminal; errors still raise."""
    transformers.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()
    logging.getLogger("huggingface_hub").setLevel(logging.ERROR)


def _pretrained(spec: ModelSpec) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    assert spec.base is not None
    dropout = spec.training.dropout
    config = {} if dropout is None else _dropout(dropout)
    model, tokenizer = _load(spec.base, spec.revision, config)
    end = end_token(tokenizer)
    if model.config.pad_token_id is None:  # else `generate` warns at every call
        model.config.pad_token_id = end
        model.generation_config.pad_token_id = end
    return model, tokenizer


def _load(
    base: str, revision: str | None, config: dict[str, Any]
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    folder = Path(base).expanduser()
    if folder.is_dir():
        base = str(folder)
        if not list(folder.glob("*.safetensors")):
            raise ModelError(
                f"{folder}: has no weights in safetensors, and pickled ones are never loaded; "
                "load them once where you trust them and save_pretrained() them again"
            )
    try:
        model, loading = AutoModelForCausalLM.from_pretrained(
            base,
            revision=revision or "main",
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            **config,
        )
        # The same commit, should the branch move between the two.
        tokenizer = AutoTokenizer.from_pretrained(
            base, revision=base_commit(model) or revision or "main", trust_remote_code=False
        )
    except (OSError, ValueError, SafetensorError) as error:
        reason = " ".join(str(error).split())
        raise ModelError(
            f"base {base!r} cannot be loaded: {reason} - Give `base:` a local folder with "
            "model.safetensors, config.json and tokenizer.json, or `size:` for a fresh model that "
            "needs no download, or try again where the hub can be reached."
        ) from error
    if loading["missing_keys"]:  # transformers would go on with random weights in their place
        raise ModelError(
            f"base {base!r}: its weights lack {', '.join(sorted(loading['missing_keys'])[:3])}…; "
            "are they those of a causal language model?"
        )
    if len(tokenizer) < 2:
        raise ModelError(f"base {base!r}: its tokenizer is empty; is tokenizer.json missing?")
    return model, tokenizer


def _dropout(rate: float) -> dict[str, float]:
    return {"resid_pdrop": rate, "embd_pdrop": rate, "attn_pdrop": rate}
