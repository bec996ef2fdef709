"""The Trainer of transformers, with held-out bits per byte in place of its own evaluation.

Nats a token do not compare models whose tokens differ; bits per UTF-8 byte do. Its own evaluation
is the mean of the batches' means and draws from the random state; this one adds up every token's
nats, each process over its share, and draws nothing. Its checkpoints hold no pickled arguments.
"""

import math
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from torch import nn
from torch.utils.data import Sampler
from transformers import PreTrainedTokenizerBase, Trainer, TrainerControl

from pipeline.models.framing import frame_of
from pipeline.training.order import WholeBatches
from pipeline.training.packing import IGNORED, PackedBlocks, Tokens, token_bytes


@dataclass(frozen=True)
class HeldOut:
    """Blocks of held-out text, and what their tokens stand for."""

    blocks: Tokens  # shape (blocks, tokens)
    token_bytes: Tokens  # UTF-8 bytes of each token of the vocabulary
    control: list[int]  # ids that are no text


def held_out(blocks: Tokens, tokenizer: PreTrainedTokenizerBase) -> HeldOut:
    """The blocks, with what the tokenizer says of their tokens."""
    frame = frame_of(tokenizer)
    control = {frame.start, frame.end, *frame.genres.values()}
    return HeldOut(blocks, token_bytes(tokenizer), sorted(control))


class StoryTrainer(Trainer):  # type: ignore[misc] # transformers is not typed
    """Trains any causal LM and looks at how well it foretells the held-out blocks."""

    def __init__(self, *args: Any, held_out: HeldOut, **kwargs: Any):
        super().__init__(*args, eval_dataset=held_out.blocks, **kwargs)
        self._held_out = held_out

    def evaluate(
        self,
        eval_dataset: object = None,
        ignore_keys: list[str] | None = None,
        metric_key_prefix: str = "eval",
    ) -> dict[str, float]:
        """Log and return `eval_loss`, nats a token, and `eval_bits_per_byte` of the text alone.

        Control tokens count in the first and not in the second.
        """
        if len(self._held_out.blocks) == 0:
            return {}
        nats, tokens, text_nats, text_bytes = self._sums()
        metrics = {
            f"{metric_key_prefix}_loss": nats / tokens,
            f"{metric_key_prefix}_bits_per_byte": text_nats / math.log(2) / text_bytes,
        }
        self.log(metrics)
        self.control: TrainerControl = self.callback_handler.on_evaluate(
            self.args, self.state, self.control, metrics
        )
        return metrics

    def _get_train_sampler(self, train_dataset: PackedBlocks | None = None) -> Sampler[int]:
        """Several processes read in the order of one."""
        if self.args.world_size == 1:
            order: Sampler[int] = super()._get_train_sampler(train_dataset)
            return order
        batch_size = self.args.per_device_train_batch_size * self.args.world_size
        return WholeBatches(self.train_dataset, batch_size, self.args.seed)

    def _track_num_input_tokens(self, inputs: dict[str, torch.Tensor]) -> None:
        """Count by shapes, which are those of every process.

        The Trainer's own asks the device each time, and a GPU then cannot be given steps ahead.
        """
        self.state.num_input_tokens_seen += inputs["input_ids"].numel() * self.args.world_size

    def floating_point_ops(self, inputs: dict[str, Any]) -> int:
        """None: flops.py counts them once; the Trainer goes over all weights at every step."""
        return 0

    def get_decay_parameter_names(self, model: nn.Module) -> list[str]:
        """Matrices that multiply: neither norms nor biases, nor embeddings.

        A row of an embedding would shrink at every step and learn at the few that have its token.
        """
        looked_up = {
            f"{name}.weight"
            for name, part in model.named_modules()
            if isinstance(part, nn.Embedding)
        }
        names: list[str] = super().get_decay_parameter_names(model)
        return [name for name in names if name not in looked_up]

    def save_model(self, output_dir: str | None = None, _internal_call: bool = False) -> None:
        """The weights alone: the Trainer would add its arguments as a pickle."""
        if self.args.should_save:
            self.model.save_pretrained(output_dir or self.args.output_dir)

    def load_weights(self, checkpoint: Path) -> None:
        """Give the model the weights of a checkpoint, or its adapters theirs."""
        self._load_from_checkpoint(str(checkpoint))

    def _sums(self) -> list[float]:
        """Nats and tokens of all that is predicted, nats and UTF-8 bytes of the text in it."""
        sums = torch.zeros(4, dtype=torch.float64)
        mine = self._held_out.blocks[self.args.process_index :: self.args.world_size]
        size = self.args.per_device_eval_batch_size
        self.model.eval()
        for start in range(0, len(mine), size):
            sums += self._sums_of(list(mine[start : start + size]))
        if self.args.world_size > 1:
            sums = self.accelerator.reduce(sums.to(self.args.device), "sum")
        result: list[float] = sums.tolist()
        return result

    @torch.no_grad()
    def _sums_of(self, blocks: list[Tokens]) -> torch.Tensor:
        batch = self._prepare_inputs(self.data_collator(blocks))
        # Shifted by a target that is ignored, since logits without their last would be a copy.
        targets = nn.functional.pad(batch.pop("labels")[:, 1:], (0, 1), value=IGNORED)
        logits = self.model(**batch).logits
        nats = nn.functional.cross_entropy(
            logits.flatten(0, 1).float(), targets.flatten(), reduction="none", ignore_index=IGNORED
        )
        nats = nats.cpu().double()
        ids = targets.flatten().cpu()
        predicted = ids != IGNORED
        text = predicted & ~torch.isin(ids, torch.tensor(self._held_out.control))
        return torch.stack(
            [
                nats[predicted].sum(),
                predicted.sum().double(),
                nats[text].sum(),
                torch.from_numpy(self._held_out.token_bytes)[ids[text]].sum().double(),
            ]
        )
