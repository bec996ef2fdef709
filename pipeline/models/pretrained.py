"""A pretrained model and its tokenizer, from a folder or from the Hugging Face hub.

Weights are read from safetensors only and no code of a model's repository is run, since both a
pickle and such code can do anything (https://huggingface.co/docs/hub/security-pickle). What comes
from the hub is pinned to one commit, asked for in one request, so that a branch which moves between
two files mixes nothing, and a machine without a network is told so at once.
"""

import logging
from pathlib import Path

import torch
import transformers
from huggingface_hub import HfApi
from huggingface_hub import errors as hub
from safetensors import SafetensorError
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)

from pipeline.model_spec import ModelError

#: Seconds for the one request that asks the hub which commit a base is.
HUB_SECONDS = 10
#: What the architectures call their rates of dropout.
_DROPOUTS = (
    *("resid_pdrop", "embd_pdrop", "attn_pdrop"),
    *("dropout", "attention_dropout", "hidden_dropout", "attn_dropout", "embd_dropout"),
)
#: Of whichever HTTP client the hub's library goes by.
_NO_ANSWER: type[Exception] = hub.HfHubHTTPError.__mro__[1]
_REMEDY = (
    "Give `base:` a local folder with model.safetensors, config.json and tokenizer.json, or "
    "`size:` for a fresh model that needs no download, or try again where the hub can be reached."
)


def load_pretrained(
    base: str, revision: str | None = None, dropout: float | None = None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """Any causal language model by folder or hub id, in float32 on the CPU, and its tokenizer.

    `dropout`, where given, replaces the rates of its configuration. Raises ModelError with the
    remedy where it cannot be loaded, or where it is no causal language model.
    """
    folder = Path(base).expanduser()
    if folder.is_dir():
        _check_folder(folder)
        base, commit, offline = str(folder), None, True
    else:
        commit = _hub_commit(base, revision)
        offline = commit is None  # what an earlier download left is looked for
    where = {"revision": commit or revision or "main", "local_files_only": offline}
    try:
        config = AutoConfig.from_pretrained(base, trust_remote_code=False, **where)
        model, loading = AutoModelForCausalLM.from_pretrained(
            base,
            config=_with_dropout(base, config, dropout),
            dtype=torch.float32,
            use_safetensors=True,
            trust_remote_code=False,
            output_loading_info=True,
            **where,
        )
        tokenizer = AutoTokenizer.from_pretrained(base, trust_remote_code=False, **where)
    except (OSError, ValueError, RuntimeError, ImportError, SafetensorError) as error:
        raise _cannot_be_loaded(base, error) from error
    # transformers would go on with random weights in the place of either.
    if loading["missing_keys"]:
        raise ModelError(
            f"base {base!r}: its weights lack {', '.join(sorted(loading['missing_keys'])[:3])}…; "
            "are they those of a causal language model?"
        )
    if len(tokenizer) < 2:
        raise ModelError(f"base {base!r}: its tokenizer is empty; is tokenizer.json missing?")
    return model, tokenizer


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


def _hub_commit(base: str, revision: str | None) -> str | None:
    """The commit that a hub id and revision mean now; None where the hub cannot be reached.

    Raises ModelError where the hub says that there is none, or none without a pickle.
    """
    try:
        info = HfApi().model_info(base, revision=revision, timeout=HUB_SECONDS)
    except hub.HFValidationError as error:
        raise ModelError(f"base {base!r} is neither a folder nor a hub id. {_REMEDY}") from error
    except hub.HfHubHTTPError as error:
        raise _cannot_be_loaded(base, error) from error
    except (_NO_ANSWER, hub.OfflineModeIsEnabled):
        return None
    files = [file.rfilename for file in info.siblings or []]
    if files and not any(name.endswith(".safetensors") for name in files):
        raise ModelError(
            f"base {base!r}: has no weights in safetensors, and pickled ones are never loaded; "
            "choose a revision or a copy of it that has them"
        )
    return info.sha


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


def _cannot_be_loaded(base: str, error: Exception) -> ModelError:
    reason = " ".join(str(error).split())[:600]
    return ModelError(f"base {base!r} cannot be loaded: {reason} - {_REMEDY}")
