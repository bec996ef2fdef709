"""The loss that is learned from, and the look at held-out text."""

import json
import math
from collections.abc import Callable
from functools import partial
from pathlib import Path

import numpy as np
import pyarrow.parquet as pq
import pytest
import torch
from torch.utils._python_dispatch import TorchDispatchMode
from transformers import TrainingArguments

from pipeline.model_spec import ModelSpec
from pipeline.models.framing import frame_of
from pipeline.models.initial import load_initial, load_trained
from pipeline.training import train
from pipeline.training.blocks import read_blocks
from pipeline.training.packing import PackedBlocks, collate
from pipeline.training.trainer import StoryTrainer, held_out

Make = Callable[..., ModelSpec]


def losses(folder: Path, split: str = "train") -> list[float]:
    rows = pq.read_table(folder / "loss.parquet").to_pylist()
    return [row["loss"] for row in rows if row["split"] == split]


def looker(spec: ModelSpec, corpus: Path, folder: Path, batch_size: int) -> StoryTrainer:
    model, tokenizer = load_initial(spec, corpus)
    blocks = read_blocks(spec, corpus, model, tokenizer)
    return StoryTrainer(
        model=model,
        args=TrainingArguments(
            output_dir=str(folder),
            per_device_eval_batch_size=batch_size,
            use_cpu=True,
            report_to="none",
        ),
        train_dataset=PackedBlocks(blocks.train),
        held_out=held_out(blocks.held_out, tokenizer),
        data_collator=partial(collate, frame=frame_of(tokenizer)),
    )


@pytest.mark.parametrize("kind", ["gpt2", "lstm"])
def test_bits_per_byte_are_those_of_the_text_token_by_token(
    kind: str, of_kind: Make, corpus: Path, tmp_path: Path
):
    figures = train(of_kind(kind, eval_blocks=5), corpus, tmp_path, device="cpu")
    model, tokenizer = load_trained(tmp_path / "final")
    blocks = read_blocks(of_kind(kind, eval_blocks=5), corpus, model, tokenizer).held_out
    assert blocks.shape == (5, 32)
    frame, model = frame_of(tokenizer), model.eval()
    nats = tokens = text_nats = text_bytes = 0.0
    for block in blocks:
        batch = collate([block], frame)
        del batch["labels"]
        with torch.no_grad():
            likelihoods = model(**batch).logits[0].double().log_softmax(-1)
        for position, token in enumerate(block[1:]):
            nat = -likelihoods[position, token].item()
            nats, tokens = nats + nat, tokens + 1
            if token not in (frame.start, frame.end):
                text_nats += nat
                text_bytes += len(tokenizer.decode([int(token)]).encode())
    assert figures["validation_loss"] == pytest.approx(nats / tokens, rel=1e-5)
    assert figures["bits_per_byte"] == pytest.approx(text_nats / math.log(2) / text_bytes, rel=1e-5)
    assert json.loads((tmp_path / "training.json").read_text()) == figures


@pytest.mark.parametrize("kind", ["gpt2", "lstm"])
def test_a_look_draws_no_random_number_and_knows_no_batches(
    kind: str, of_kind: Make, corpus: Path, tmp_path: Path
):
    spec = of_kind(kind, dropout=0.5, eval_blocks=7)
    looks = []
    for batch_size in (1, 3, 7):  # the second does not divide the blocks
        trainer = looker(spec, corpus, tmp_path, batch_size)
        before = torch.random.get_rng_state()
        looks.append(trainer.evaluate())
        assert torch.equal(torch.random.get_rng_state(), before)
        assert trainer.state.log_history[-1] == looks[-1] | {"step": 0}
    for look in looks:
        assert look == pytest.approx(looks[0], rel=1e-5)


@pytest.mark.parametrize("kind", ["gpt2", "lstm"])
def test_a_batch_learns_the_same_in_one_piece_and_in_four(
    kind: str, of_kind: Make, corpus: Path, tmp_path: Path
):
    """The end of the second epoch included, whose last batch is short."""
    whole = {"block_size": 512, "epochs": 2, "steps": None, "log_every": 1}
    whole |= {"precision": "fp32", "learning_rate": 0.001}
    if kind == "lstm":
        whole |= {"block_size": 1024}
    in_pieces = whole | {"batch_size": 1, "gradient_accumulation": 4}
    train(of_kind(kind, **whole), corpus, tmp_path / "whole", device="cpu")
    figures = train(of_kind(kind, **in_pieces), corpus, tmp_path / "pieces", device="cpu")
    blocks = figures["corpus_tokens"] // figures["block_size"]
    assert blocks % 4 > 0
    one, other = losses(tmp_path / "whole"), losses(tmp_path / "pieces")
    assert len(one) == figures["steps"] == 2 * math.ceil(blocks / 4)
    assert one == pytest.approx(other, rel=1e-4)


def test_a_block_of_the_end_alone_counts_no_text(of_kind: Make, corpus: Path, tmp_path: Path):
    trainer = looker(of_kind("gpt2", eval_blocks=1), corpus, tmp_path, 1)
    end = frame_of(load_initial(of_kind("gpt2"), corpus)[1]).end
    block = trainer._held_out.blocks[0].copy()
    with_text = trainer._sums()
    trainer._held_out.blocks[0] = np.full_like(block, end)
    assert with_text[3] > 0
    assert trainer._sums()[2:] == [0, 0]


class _Asked(TorchDispatchMode):
    """How often the device was asked for a number, for which it must end all it was given."""

    def __init__(self) -> None:
        super().__init__()
        self.times = 0

    def __torch_dispatch__(self, func, types, args=(), kwargs=None):  # type: ignore[no-untyped-def]
        self.times += func is torch.ops.aten._local_scalar_dense.default
        return func(*args, **(kwargs or {}))


def test_no_step_waits_for_a_number_from_the_device(of_kind: Make, corpus: Path, tmp_path: Path):
    asked = []  # of an LSTM: transformers' GPT-2 asks for some itself, for its mask
    for steps in (2, 6):
        rare = {"log_every": 100, "eval_every": 100, "save_every": 100}
        with _Asked() as mode:
            train(of_kind("lstm", steps=steps, **rare), corpus, tmp_path / f"{steps}", device="cpu")
        asked.append(mode.times)
    assert asked[0] == asked[1] > 0
