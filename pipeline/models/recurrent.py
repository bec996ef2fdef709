"""Recurrent language models behind transformers' interface: LSTM or GRU layers, a dense softmax.

One Trainer, one sampler and one score then serve them and GPT-2 alike. The layers are PyTorch's
own, so that cuDNN computes them where there is a GPU; what `generate` calls the cache is the state
that they carry. Importing this makes AutoModelForCausalLM know saved folders. Layers begin as Keras
has them, from whose examples the recipes come: Glorot uniform (Glorot & Bengio 2010), orthogonal
from state to state (Saxe et al. 2013), an LSTM's forget gate open (Jozefowicz et al. 2015); an
embedding as PyTorch has it. Dropout falls on what passes between layers, never on the state
(Zaremba et al. 2014).
"""

from itertools import groupby
from typing import Any

import numpy as np
import numpy.typing as npt
import torch
from torch import Tensor, nn
from torch.nn.utils.rnn import PackedSequence, pack_padded_sequence, pad_packed_sequence
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    GenerationMixin,
    PreTrainedConfig,
    PreTrainedModel,
    PreTrainedTokenizerBase,
)
from transformers.modeling_outputs import CausalLMOutputWithPast

from pipeline.model_spec import ModelError, RecurrentShape

_CELLS: dict[str, type[nn.LSTM | nn.GRU]] = {"lstm": nn.LSTM, "gru": nn.GRU}

#: Of each stack of layers: (hidden, cell) of an LSTM, (hidden,) of a GRU; (layers, batch, width).
States = list[tuple[Tensor, ...]]


class RecurrentConfig(PreTrainedConfig):  # type: ignore[misc] # transformers is not typed
    """The shape of a recurrent model, as its config.json holds it."""

    model_type = "loremill_recurrent"
    keys_to_ignore_at_inference = ["past_key_values"]  # noqa: RUF012 - transformers' own type

    vocab_size: int = 256
    cell: str = "lstm"  # or gru
    embedding_size: int | None = None  # None: one-hot
    layer_sizes: list[int] | tuple[int, ...] = (128,)  # units, input first
    dropout: float | int = 0.0
    use_cache: bool = True
    tie_word_embeddings: bool = False
    bos_token_id: int | None = None
    eos_token_id: int | list[int] | None = None
    pad_token_id: int | None = None


class RecurrentState:
    """What the layers carry from token to token, as `generate` hands it on."""

    is_compileable = False  # read by `generate`

    def __init__(self, states: States, length: int):
        self.states = states
        self._length = length

    def get_seq_length(self, layer_idx: int = 0) -> int:
        """Tokens read so far, padding included."""
        return self._length

    def reorder_cache(self, rows: Tensor) -> None:
        """Keep these rows of the batch, in this order, as beam search asks."""
        self.states = [
            tuple(part.index_select(1, rows.to(part.device)) for part in state)
            for state in self.states
        ]

    def forget(self, rows: list[int]) -> None:
        """Let these rows of the batch be as they were before their first token."""
        for state in self.states:
            for part in state:
                part[:, rows] = 0.0


class OneHot(nn.Module):
    """Each token as a vector of zeros with a single one."""

    def __init__(self, vocabulary: int):
        super().__init__()
        self.vocabulary = vocabulary

    def forward(self, ids: Tensor, dtype: torch.dtype) -> Tensor:
        """Shape (…, vocabulary)."""
        zeros = torch.zeros(*ids.shape, self.vocabulary, dtype=dtype, device=ids.device)
        return zeros.scatter_(-1, ids[..., None], 1.0)


class RecurrentForCausalLM(PreTrainedModel, GenerationMixin):  # type: ignore[misc]
    """LSTM or GRU layers over embedded or one-hot tokens; logits of the next token."""

    config_class = RecurrentConfig
    _is_stateful = True  # no way back to an earlier token: what needs one refuses at once

    def __init__(self, config: RecurrentConfig):
        super().__init__(config)
        width = config.embedding_size or config.vocab_size
        if config.embedding_size is None:
            self.embed_tokens: nn.Module = OneHot(config.vocab_size)
        else:
            self.embed_tokens = nn.Embedding(config.vocab_size, width)
        # Neighbours of one width are one stack, which cuDNN computes together.
        self.stacks = nn.ModuleList()
        for units, run in groupby(config.layer_sizes):
            depth = len(list(run))
            between = config.dropout if depth > 1 else 0.0
            self.stacks.append(
                _CELLS[config.cell](width, units, depth, dropout=between, batch_first=True)
            )
            width = units
        self.dropout = nn.Dropout(config.dropout)
        self.lm_head = nn.Linear(width, config.vocab_size)
        self.post_init()

    @classmethod
    def _supports_default_dynamic_cache(cls) -> bool:
        """A private hook of `generate`: the cache is this model's own, made in `forward`."""
        return False

    def forward(
        self,
        input_ids: Tensor,
        attention_mask: Tensor | None = None,
        position_ids: Tensor | None = None,
        past_key_values: RecurrentState | None = None,
        labels: Tensor | None = None,
        use_cache: bool | None = None,
        logits_to_keep: int | Tensor = 0,
        **kwargs: Any,
    ) -> CausalLMOutputWithPast:
        """Logits (batch, tokens, vocabulary) in float32, the loss where there are `labels`.

        `attention_mask` may end with what `past_key_values` has read already; masked tokens, on
        whichever side, leave the state as it is. `position_ids` are taken, as every causal LM takes
        them, and not read: order is all that a recurrent model knows of place, and of packed
        documents it carries its state over the token that parts them. `labels` are unshifted, -100
        is ignored; `num_items_in_batch`, which the Trainer passes, divides the summed loss.
        """
        self._lay_out_for_cudnn()
        if isinstance(self.embed_tokens, OneHot):
            inputs = self.embed_tokens(input_ids, self.lm_head.weight.dtype)
        else:
            inputs = self.dropout(self.embed_tokens(input_ids))
        before = None if past_key_values is None else past_key_values.states
        mask = None
        if attention_mask is not None:
            mask = attention_mask[:, -input_ids.shape[1] :].bool()
        if mask is None or bool(mask.all()):
            hidden, states = self._read(inputs, before)
        else:
            hidden, states = self._read_masked(inputs, mask, before)
        kept = slice(-logits_to_keep, None) if isinstance(logits_to_keep, int) else logits_to_keep
        logits = self.lm_head(hidden[:, kept]).float()
        loss = None
        if labels is not None:
            loss = self.loss_function(logits, labels, vocab_size=self.config.vocab_size, **kwargs)
        state = None
        if self.config.use_cache if use_cache is None else use_cache:
            length = 0 if past_key_values is None else past_key_values.get_seq_length()
            state = RecurrentState(states, length + input_ids.shape[1])
        return CausalLMOutputWithPast(loss=loss, logits=logits, past_key_values=state)

    def _read(self, inputs: Any, before: States | None) -> tuple[Any, States]:
        """Through all layers; inputs and output are (batch, tokens, width), or packed."""
        states: States = []
        for index, stack in enumerate(self.stacks):
            given: Any = None if before is None else before[index]
            if given is not None and len(given) == 1:
                given = given[0]
            inputs, state = stack(inputs, given)
            states.append(state if isinstance(state, tuple) else (state,))
            if isinstance(inputs, PackedSequence):
                inputs = inputs._replace(data=self.dropout(inputs.data))
            else:
                inputs = self.dropout(inputs)
        return inputs, states

    def _read_masked(
        self, inputs: Tensor, mask: Tensor, before: States | None
    ) -> tuple[Tensor, States]:
        """As `_read`, over the tokens of `mask` (batch, tokens) alone; zeros where it is false."""
        order = torch.argsort((~mask).long(), dim=1, stable=True)  # each row's tokens first
        lengths = mask.sum(1)
        packed = pack_padded_sequence(
            inputs.gather(1, order[..., None].expand_as(inputs)),
            lengths.clamp(min=1).cpu(),
            batch_first=True,
            enforce_sorted=False,
        )
        read, states = self._read(packed, before)
        hidden, _ = pad_packed_sequence(read, batch_first=True, total_length=mask.shape[1])
        hidden = hidden.gather(1, order.argsort(1)[..., None].expand_as(hidden))
        empty = (lengths == 0)[None, :, None]  # one token was read, for none cannot be
        if bool(empty.any()):
            earlier = before or [tuple(map(torch.zeros_like, state)) for state in states]
            states = [
                tuple(torch.where(empty, old, new) for old, new in zip(was, state, strict=True))
                for was, state in zip(earlier, states, strict=True)
            ]
        return hidden * mask[..., None], states

    def _lay_out_for_cudnn(self) -> None:
        """Let each stack's weights lie in one piece, which loading onto a GPU can undo."""
        if self.lm_head.weight.device.type != "cuda":
            return
        for stack in self.stacks:
            assert isinstance(stack, nn.RNNBase)
            pieces = {weight.untyped_storage().data_ptr() for weight in stack.parameters()}
            if len(pieces) > 1:
                with torch.inference_mode(False):  # weights made there could never be trained
                    stack.flatten_parameters()

    def _init_weights(self, module: nn.Module) -> None:
        for name, weight in module.named_parameters(recurse=False):
            if getattr(weight, "_is_hf_initialized", False):
                continue  # it was loaded
            if isinstance(module, nn.Embedding):
                nn.init.normal_(weight)
            elif "bias" in name:
                nn.init.zeros_(weight)
                if isinstance(module, nn.LSTM) and name.startswith("bias_ih"):
                    weight[module.hidden_size : 2 * module.hidden_size] = 1.0  # the forget gate's
            elif name.startswith("weight_hh"):
                for gate in torch.tensor_split(weight, weight.shape[0] // weight.shape[1]):
                    nn.init.orthogonal_(gate)
            else:
                nn.init.xavier_uniform_(weight)


def fresh(
    shape: RecurrentShape,
    tokenizer: PreTrainedTokenizerBase,
    dropout: float,
    vectors: npt.NDArray[np.float32] | None = None,
    frozen: bool = False,
) -> RecurrentForCausalLM:
    """An untrained model of this shape for the tokenizer's vocabulary; torch's seed decides it.

    `vectors` (vocabulary, embedding) stand in for the random embedding, `frozen` where training
    shall leave them as they are. Raises ModelError where they do not fit.
    """
    expected = (len(tokenizer), shape.embedding)
    if vectors is not None and vectors.shape != expected:
        raise ModelError(
            f"word vectors of shape {vectors.shape} do not fit a model of {expected[0]} words and "
            f"recurrent.embedding {expected[1]}; write the vectors' width there"
        )
    model = RecurrentForCausalLM(
        RecurrentConfig(
            vocab_size=len(tokenizer),
            cell=shape.cell,
            embedding_size=shape.embedding,
            layer_sizes=list(shape.layers),
            dropout=dropout,
            bos_token_id=tokenizer.bos_token_id,
            eos_token_id=tokenizer.eos_token_id,
            pad_token_id=tokenizer.pad_token_id,
        )
    )
    if vectors is not None:
        embedding = model.get_parameter("embed_tokens.weight")
        with torch.no_grad():
            embedding.copy_(torch.from_numpy(vectors))
        embedding.requires_grad_(not frozen)
    return model


AutoConfig.register(RecurrentConfig.model_type, RecurrentConfig)
AutoModelForCausalLM.register(RecurrentConfig, RecurrentForCausalLM)
