"""The rows of a model's vocabulary: new tokens, padding while it trains, the cut when it is saved.

A new token starts as the mean of the others (Hewitt 2021, "Initializing New Word Embeddings"),
which takes no more than one of them from the rest: the loss on plain text does not jump. Matrix
units want sizes that are multiples of 64 (Karpathy's 50,257 -> 50,304), and converters want as many
rows as the tokenizer has entries; so rows are added for a training and left out of what it saves.
"""

from collections.abc import Collection, Sequence

import torch
from torch import nn
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.model_spec import ModelError

#: Added to the logits of rows that pad: their probability is 0 in every number format, and the
#: sum stays finite.
_NEVER = -1e9
#: Makers pad their embeddings by a few hundred rows, 2.3 % at most; another's tokenizer by more.
_MOST_PADDING = 0.1


def check_tokenizer(model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, base: str) -> None:
    """Raise ModelError where the tokenizer, as far as can be told, is that of another model.

    Told by ids beyond the embedding, an embedding of which it leaves a good part unused, or an
    end-of-text id of the model's configuration that is a piece of a word in the tokenizer.
    """
    rows, used = _rows(model), entries(tokenizer)
    ends = {
        int(end)
        for config in (model.config, model.generation_config)
        for end in _listed(getattr(config, "eos_token_id", None))
        if end < used
    }
    special = {number for number, token in tokenizer.added_tokens_decoder.items() if token.special}
    special |= {number for number in tokenizer.all_special_ids if number is not None}
    if used > rows:
        found = f"it has {used:,} entries, the model's embedding {rows:,} rows"
    elif rows - used > max(_MOST_PADDING * rows, 64):
        found = f"it has {used:,} entries and leaves most of the model's {rows:,} rows unused"
    elif ends and not ends & special:
        end = min(ends)
        token = tokenizer.convert_ids_to_tokens(end)
        found = f"the model ends a text with token {end}, which is {token!r} there"
    else:
        return
    raise ModelError(
        f"base {base!r}: its tokenizer is that of another model: {found}; put the tokenizer that "
        "the model was trained with beside its weights, or correct eos_token_id in config.json"
    )


def entries(tokenizer: PreTrainedTokenizerBase) -> int:
    """Rows that a model needs for every id of the tokenizer."""
    return max(len(tokenizer), 1 + max(tokenizer.get_vocab().values(), default=-1))


@torch.no_grad()
def start_new_tokens(model: PreTrainedModel, ids: Sequence[int], known: Collection[int]) -> None:
    """Give tokens that the model has never seen the mean of the `known` ones' rows, in and out.

    Rows that its makers padded it with are no tokens, and whatever they hold plays no part. Rows
    are added where there are too few. No random number is drawn.
    """
    if not ids:
        return
    before = _rows(model)
    if not isinstance(model.get_input_embeddings(), nn.Embedding):
        raise ModelError(
            "a model whose input is one-hot has no room for the control tokens of another corpus; "
            "train a fresh one"
        )
    with torch.random.fork_rng():
        if max(ids) >= before:
            model.resize_token_embeddings(max(ids) + 1, mean_resizing=False)
    new = torch.tensor(ids)
    old = torch.tensor(sorted(number for number in known if number < before))
    for rows in _row_tensors(model):
        rows[new] = rows[old].mean(0)


@torch.no_grad()
def pad_vocabulary(model: PreTrainedModel, multiple: int) -> None:
    """Add rows up to a multiple; the loss and what is drawn stay what they were.

    The added logits are lowered by an output bias that is neither trained nor saved, as rows of
    zeros would take their share of the softmax. Embedding and output may be tied or not. Adapters
    come after it: a model that has any is left as it is.
    """
    rows = _rows(model)
    padded = -(-rows // multiple) * multiple
    if padded == rows or hasattr(model, "peft_config"):
        return
    if not isinstance(model.get_input_embeddings(), nn.Embedding):
        return  # one-hot: the width of the first layer is the vocabulary
    with torch.random.fork_rng():
        model.resize_token_embeddings(padded, mean_resizing=False)
    for tensor in _row_tensors(model):
        tensor[rows:] = 0
    output = model.get_output_embeddings()
    if output.bias is None:
        mask = torch.zeros(padded, dtype=output.weight.dtype, device=output.weight.device)
        del output.bias
        output.register_buffer("bias", mask, persistent=False)
    output.bias[rows:] = _NEVER


@torch.no_grad()
def cut_vocabulary(model: PreTrainedModel, entries: int) -> None:
    """Leave out the rows from `entries` on, of configuration, embedding and output."""
    if entries >= _rows(model):
        return
    output = model.get_output_embeddings()
    if isinstance(output, nn.Linear) and "bias" in output._buffers:
        del output.bias
        output.register_parameter("bias", None)
    model.resize_token_embeddings(entries, mean_resizing=False)


def _rows(model: PreTrainedModel) -> int:
    return int(model.config.get_text_config(decoder=True).vocab_size)


def _row_tensors(model: PreTrainedModel) -> list[torch.Tensor]:
    """Embedding, output and output bias, each once; the first axis is the vocabulary's."""
    found: dict[int, torch.Tensor] = {}
    for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
        for name in ("weight", "bias"):
            tensor = getattr(layer, name, None)
            if tensor is not None:
                found[tensor.data_ptr()] = tensor
    return list(found.values())


def _listed(value: int | list[int] | None) -> list[int]:
    if value is None:
        return []
    return value if isinstance(value, list) else [value]
