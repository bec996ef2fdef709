"""A model as it is before training: a pretrained base, or a fresh one of a named size or shape.

Whatever it is made of, it comes with a tokenizer that knows the control tokens of its corpus, and
so do its embedding and its output.
"""

from collections.abc import Iterator
from pathlib import Path

import torch
from transformers import GPT2Config, GPT2LMHeadModel, PreTrainedModel, PreTrainedTokenizerBase

from pipeline.corpus import read_split
from pipeline.corpus.files import corpus_layout
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.models import recurrent
from pipeline.models.framing import frame_of
from pipeline.models.lora import add_adapters
from pipeline.models.outline import Look, outline
from pipeline.models.pretrained import load_pretrained, quiet
from pipeline.models.probes import looks_ahead
from pipeline.models.sizes import GPT2_SIZES, Size
from pipeline.models.tokenizers import add_control_tokens, learn_tokenizer
from pipeline.models.vocabulary import check_tokenizer, start_new_tokens


def load_initial(
    spec: ModelSpec,
    corpus: Path,
    tokenizer: PreTrainedTokenizerBase | None = None,
    look: Look | None = None,
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """The untrained or base model that `spec` names, in float32 on the CPU, and its tokenizer.

    A fresh model's vocabulary is learned from the train split of `corpus`, unless the `tokenizer`
    learned earlier is given. The same spec and corpus give the same weights, and the global random
    stream is left alone. `look` is shown the outline, without adapters, before there are weights.
    Raises ModelError where a base cannot be loaded.
    """
    quiet()
    control_tokens = corpus_layout(corpus).control_tokens
    if spec.base is not None:
        return _from_base(spec, spec.base, control_tokens, look)
    if tokenizer is None:
        context = _fresh_context(spec)
        tokenizer = learn_tokenizer(spec.tokenizer, _texts(corpus), context, control_tokens)
    with torch.random.fork_rng():
        torch.manual_seed(spec.training.seed)
        if spec.recurrent is not None:
            model = _fresh_recurrent(spec, corpus, tokenizer, look)
        else:
            model = _fresh_gpt2(spec, tokenizer, look)
    return model, tokenizer


def load_trained(folder: Path) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    """A model that was exported to `folder`, in float32 on the CPU, and its tokenizer."""
    quiet()
    return load_pretrained(str(folder))


def context_length(model: PreTrainedModel) -> int | None:
    """The most tokens the model attends to; None where nothing bounds them, as in a recurrence."""
    config = model.config.get_text_config(decoder=True)
    bound = getattr(config, "max_position_embeddings", None)
    return None if bound is None else int(bound)


def _from_base(
    spec: ModelSpec, base: str, control_tokens: tuple[str, ...], look: Look | None
) -> tuple[PreTrainedModel, PreTrainedTokenizerBase]:
    model, tokenizer = load_pretrained(base, spec.revision, spec.training.dropout, look)
    if looks_ahead(model):
        raise ModelError(
            f"base {base!r}: {type(model).__name__} reads what comes after a token to foretell it, "
            "as an encoder does; choose a causal language model such as openai-community/gpt2"
        )
    check_tokenizer(model, tokenizer, base)
    known = set(tokenizer.get_vocab().values())
    add_control_tokens(tokenizer, control_tokens)
    new = sorted(set(tokenizer.get_vocab().values()) - known)
    start_new_tokens(model, new, known)
    end = frame_of(tokenizer).end
    if model.config.pad_token_id is None:  # else `generate` warns at every call
        model.config.pad_token_id = end
        model.generation_config.pad_token_id = end
    if spec.lora is not None:
        model = add_adapters(model, spec.lora, new, spec.training.seed)
    return model, tokenizer


def _texts(corpus: Path) -> Iterator[str]:
    return (document.text for document in read_split(corpus, "train"))


def _fresh_context(spec: ModelSpec) -> int | None:
    if spec.size is None:
        return None
    return spec.training.block_size or GPT2_SIZES[spec.size].context


def _fresh_gpt2(
    spec: ModelSpec, tokenizer: PreTrainedTokenizerBase, look: Look | None
) -> PreTrainedModel:
    assert spec.size is not None
    size: Size = GPT2_SIZES[spec.size]
    rate = spec.training.dropout or 0.0
    config = GPT2Config(
        vocab_size=len(tokenizer),
        n_positions=_fresh_context(spec),
        n_embd=size.width,
        n_layer=size.layers,
        n_head=size.heads,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
        pad_token_id=tokenizer.pad_token_id,
        resid_pdrop=rate,
        embd_pdrop=rate,
        attn_pdrop=rate,
    )
    if look is not None:
        look(outline(lambda: GPT2LMHeadModel(config)))
    return GPT2LMHeadModel(config)


def _fresh_recurrent(
    spec: ModelSpec, corpus: Path, tokenizer: PreTrainedTokenizerBase, look: Look | None
) -> PreTrainedModel:
    shape = spec.recurrent
    assert shape is not None
    rate = spec.training.dropout or 0.0
    frozen = spec.vectors is not None and not spec.vectors.tuned
    if look is not None:
        sketch = outline(lambda: recurrent.fresh(shape, tokenizer, rate))
        sketch.get_input_embeddings().requires_grad_(not frozen)
        look(sketch)
    vectors = None
    if spec.vectors is not None:
        from pipeline.models.vectors import word_vectors  # gensim is an extra

        assert shape.embedding is not None
        vectors, _ = word_vectors(
            spec.vectors, shape.embedding, _texts(corpus), tokenizer, spec.training.seed
        )
    return recurrent.fresh(shape, tokenizer, rate, vectors, frozen=frozen)
