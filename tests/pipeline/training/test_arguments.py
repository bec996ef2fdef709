"""What the Trainer is told, and what comes of it."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest
import torch

from pipeline.device import pick_device
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.models.initial import load_initial
from pipeline.training import train
from pipeline.training.acceleration import choose
from pipeline.training.arguments import schedule, training_arguments
from pipeline.training.blocks import read_blocks
from pipeline.training.forecast import fit
from pipeline.training.packing import PackedBlocks
from pipeline.training.trainer import StoryTrainer, held_out

Make = Callable[..., ModelSpec]


def trainer_of(spec: ModelSpec, corpus: Path, folder: Path) -> StoryTrainer:
    model, tokenizer = load_initial(spec, corpus)
    blocks = read_blocks(spec, corpus, model, tokenizer)
    device = pick_device("cpu")
    how, batch = choose(spec, device, model), fit(spec, model, device, blocks.train.shape[1])
    arguments = training_arguments(spec, folder, device, how, batch, blocks, resumed=False)
    return StoryTrainer(
        model=model,
        args=arguments,
        train_dataset=PackedBlocks(blocks.train),
        held_out=held_out(blocks.held_out, tokenizer),
    )


def test_epochs_are_counted_in_steps_of_which_the_last_is_short(of_kind: Make):
    spec = of_kind("gpt2", steps=None, epochs=1.5, eval_every="epoch", save_every="epoch")
    when = schedule(spec, blocks=33, blocks_a_step=8)
    assert (when.an_epoch, when.steps) == (5, 8)  # of seven and a half
    assert (when.eval_every, when.save_every) == (5, 5)
    when = schedule(of_kind("gpt2", steps=70, eval_every=3, save_every="epoch"), 33, 8)
    assert (when.steps, when.eval_every, when.save_every) == (70, 3, 5)


def test_looks_and_checkpoints_come_with_the_epochs_and_once_at_the_end(
    of_kind: Make, corpus: Path, tmp_path: Path
):
    spec = of_kind("gpt2", block_size=512, steps=None, epochs=2, eval_every="epoch", log_every=100)
    figures = train(spec, corpus, tmp_path, device="cpu")
    rows = pq.read_table(tmp_path / "loss.parquet").to_pylist()
    an_epoch = figures["steps"] // 2
    looks = [row["step"] for row in rows if row["split"] == "validation"]
    assert looks == [0, an_epoch, 2 * an_epoch]


@pytest.mark.parametrize(
    ("training", "kind", "said"),
    [
        ({"optimizer": "rmsprop"}, torch.optim.RMSprop, {"alpha": 0.9, "eps": 1e-7, "momentum": 0}),
        ({}, torch.optim.AdamW, {"betas": (0.9, 0.999), "eps": 1e-8}),
    ],
)
def test_the_optimizer_is_the_one_that_was_asked_for(
    training: dict[str, Any],
    kind: type[torch.optim.Optimizer],
    said: dict[str, Any],
    of_kind: Make,
    corpus: Path,
    tmp_path: Path,
):
    optimizer = trainer_of(of_kind("lstm", **training), corpus, tmp_path).create_optimizer()
    assert isinstance(optimizer, kind)
    assert said.items() <= optimizer.defaults.items()


@pytest.mark.parametrize("kind", ["gpt2", "lstm"])
def test_what_multiplies_decays_and_nothing_else(
    kind: str, of_kind: Make, corpus: Path, tmp_path: Path
):
    trainer = trainer_of(of_kind(kind, weight_decay=0.3), corpus, tmp_path)
    decays = {
        id(weight): group["weight_decay"]
        for group in trainer.create_optimizer().param_groups
        for weight in group["params"]
    }
    for name, weight in trainer.model.named_parameters():
        looked_up = any(part in name for part in ("wte", "wpe", "embed_tokens"))
        assert decays[id(weight)] == (0.3 if weight.ndim == 2 and not looked_up else 0.0), name


@pytest.mark.parametrize(
    ("training", "rates"),
    [
        ({"schedule": "constant", "warmup_fraction": 0.0}, [1, 1, 1, 1]),
        ({"schedule": "constant", "warmup_fraction": 0.5}, [0, 0.5, 1, 1]),
        ({"schedule": "cosine", "warmup_fraction": 0.0}, [1, 0.8536, 0.5, 0.1464]),
    ],
)
def test_the_rate_goes_as_scheduled(
    training: dict[str, Any], rates: list[float], of_kind: Make, corpus: Path, tmp_path: Path
):
    spec = of_kind("gpt2", steps=4, log_every=1, learning_rate=0.002, **training)
    train(spec, corpus, tmp_path, device="cpu")
    rows = pq.read_table(tmp_path / "loss.parquet").to_pylist()
    logged = [row["learning_rate"] for row in rows if row["split"] == "train"]
    assert logged == pytest.approx([0.002 * rate for rate in rates], abs=1e-6)


def test_checkpointing_learns_the_same_with_dropout(of_kind: Make, corpus: Path, tmp_path: Path):
    losses = []
    for again in (False, True):
        spec = of_kind("gpt2", dropout=0.2, gradient_checkpointing=again, log_every=1)
        folder = tmp_path / str(again)
        assert train(spec, corpus, folder, device="cpu")["spec"]["training"][
            "gradient_checkpointing"
        ] is (again)
        losses.append(pq.read_table(folder / "loss.parquet")["loss"].to_pylist())
    assert losses[0] == pytest.approx(losses[1], rel=1e-4)


def test_a_recurrent_model_has_no_layers_to_compute_twice(
    of_kind: Make, corpus: Path, tmp_path: Path
):
    with pytest.raises(ModelError, match="gradient_checkpointing: a recurrent model"):
        train(of_kind("lstm", gradient_checkpointing=True), corpus, tmp_path, device="cpu")
