"""The recurrent recipes in our Trainer beside a plain PyTorch loop: characters a second.

`python benchmarks/recurrent.py` prints the section for RESULTS.md. Both sides train the same
layers on the same blocks with the same batch, optimizer and threads, in turns, in one process. The
plain loop is what one would write by hand: float32, a shuffled index, a step, a line now and then.
Where our Trainer picks bfloat16 for this processor, the loop runs once more with that, so that the
Trainer's own cost is seen by itself. Speed is by processor time, since a neighbour's work would be
in the wall's; the first step of each turn, which sets things up, is left out.
"""

import argparse
import os
import platform
import random
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import nullcontext
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

import torch
from torch import nn

from pipeline.corpus import read_split
from pipeline.corpus.files import SplitWriter, manifest_writer
from pipeline.corpus.layout import make_layout
from pipeline.model_spec import ModelSpec
from pipeline.models.initial import load_initial
from pipeline.schema import DOCUMENTS
from pipeline.training import train
from pipeline.training.arguments import KERAS_RMSPROP
from pipeline.training.blocks import read_blocks
from pipeline.training.progress import Progress

#: Steps of a turn, the first left out.
STEPS = {"char-lstm": 31, "word-lstm": 11, "char-gru": 7, "char-lstm2": 4}
LOG_EVERY = 10


@dataclass
class Speed:
    """Characters a second of processor time, of each turn."""

    ours: list[float]
    plain: list[float]
    plain_alike: list[float]  # in the number format that ours uses
    bf16: bool


def stories(count: int) -> Iterator[str]:
    """Of 3,000 words that are as often as in books, some 1.4 kB each."""
    draw = random.Random(1)  # noqa: S311, the same stories each time
    letters = "etaoinshrdlucmfwypvbgk"
    words = ["".join(draw.choices(letters, k=draw.choice((2, 3, 3, 4, 5, 7)))) for _ in range(3000)]
    weights = [1 / rank for rank in range(1, len(words) + 1)]
    for _ in range(count):
        yield " ".join(
            " ".join(draw.choices(words, weights, k=draw.randint(8, 25))).capitalize() + "."
            for _ in range(20)
        )


def write_corpus(folder: Path) -> Path:
    """A corpus of half a megabyte, as the corpus step's own writer leaves it."""
    folder.mkdir()
    layout = make_layout("stream", [])
    with manifest_writer(folder, layout) as manifest:
        for split, count in (("train", 350), ("validation", 4), ("test", 1)):
            with SplitWriter(folder, split, manifest, layout) as writer:
                for number, text in enumerate(stories(count)):
                    name = f"{split}-{number}"
                    writer.write(
                        dict.fromkeys(DOCUMENTS.names)
                        | {"doc_id": name, "work_id": name, "title": name, "franchise": "words"}
                        | {"source": "made up", "text": text}
                        | {"text_sha256": sha256(text.encode()).hexdigest()}
                    )
    return folder


def spec_of(preset: str, steps: int) -> ModelSpec:
    """The recipe, without looks at held-out text and checkpoints on the way."""
    never = 10**9
    training = {"steps": steps, "eval_every": never, "save_every": never, "eval_blocks": 1}
    training |= {"log_every": LOG_EVERY, "patience": None}
    return ModelSpec.model_validate(
        {"name": preset, "corpus": "words", "preset": preset, "training": training}
        | {"vectors": None}
    )


def ours(spec: ModelSpec, corpus: Path, folder: Path) -> tuple[float, bool]:
    """Seconds of processor from the end of the first step to that of the last; whether bf16."""
    at: dict[int, float] = {}

    def look(progress: Progress) -> None:
        if progress.loss is not None:
            at.setdefault(progress.step, time.process_time())

    record = train(spec, corpus, folder, device="cpu", report=look)
    assert spec.steps is not None
    return at[spec.steps] - at[1], record["acceleration"]["bf16"]


class Plain(nn.Module):
    """The recipe's layers as one would write them down."""

    def __init__(self, spec: ModelSpec, vocabulary: int):
        super().__init__()
        shape = spec.recurrent
        assert shape is not None
        self.vocabulary = vocabulary
        self.embedding = nn.Embedding(vocabulary, shape.embedding) if shape.embedding else None
        width, alike = shape.embedding or vocabulary, len(set(shape.layers)) == 1
        cell = nn.LSTM if shape.cell == "lstm" else nn.GRU
        rate = spec.training.dropout or 0.0
        self.layers = nn.ModuleList()
        for units in shape.layers[:1] if alike else shape.layers:
            depth = len(shape.layers) if alike else 1
            between = rate if depth > 1 else 0.0
            self.layers.append(cell(width, units, depth, dropout=between, batch_first=True))
            width = units
        self.dropout = nn.Dropout(rate)
        self.dense = nn.Linear(width, vocabulary)

    def forward(self, ids: torch.Tensor) -> torch.Tensor:
        """Logits (batch, tokens, vocabulary)."""
        if self.embedding is not None:
            hidden = self.dropout(self.embedding(ids))
        else:
            hidden = nn.functional.one_hot(ids, self.vocabulary).float()
        for layer in self.layers:
            hidden = self.dropout(layer(hidden)[0])
        logits: torch.Tensor = self.dense(hidden)
        return logits


def plain(spec: ModelSpec, blocks: torch.Tensor, vocabulary: int, *, bf16: bool) -> float:
    """Seconds of processor from the end of the first step to that of the last."""
    torch.manual_seed(0)
    settings = spec.training
    model = Plain(spec, vocabulary).train()
    weights = list(model.parameters())
    optimizer: torch.optim.Optimizer
    if settings.optimizer == "rmsprop":
        keras = dict(part.split("=") for part in KERAS_RMSPROP.split(","))
        optimizer = torch.optim.RMSprop(
            weights, spec.learning_rate, float(keras["alpha"]), float(keras["eps"])
        )
    else:
        optimizer = torch.optim.AdamW(
            weights, spec.learning_rate, weight_decay=settings.weight_decay, fused=True
        )
    assert isinstance(settings.batch_size, int)
    assert spec.steps is not None
    order, position, begun = torch.randperm(len(blocks)), 0, 0.0
    for step in range(1, spec.steps + 1):
        if position + settings.batch_size > len(order):
            order, position = torch.randperm(len(blocks)), 0
        ids = blocks[order[position : position + settings.batch_size]].long()
        position += settings.batch_size
        with torch.autocast("cpu", torch.bfloat16) if bf16 else nullcontext():
            logits = model(ids[:, :-1])
            loss = nn.functional.cross_entropy(logits.float().flatten(0, 1), ids[:, 1:].flatten())
        loss.backward()
        nn.utils.clip_grad_norm_(weights, settings.max_grad_norm)
        optimizer.step()
        optimizer.zero_grad()
        if step == 1:
            begun = time.process_time()
        if step % LOG_EVERY == 0:
            loss.item()
    return time.process_time() - begun


def measure(preset: str, corpus: Path, work: Path, turns: int, steps: int) -> Speed:
    """Both sides in turns, the order changed each time."""
    spec = spec_of(preset, steps)
    model, tokenizer = load_initial(spec, corpus)
    blocks = torch.from_numpy(read_blocks(spec, corpus, model, tokenizer).train.copy())
    characters = sum(len(document.text) for document in read_split(corpus, "train"))
    stride = spec.training.stride or blocks.shape[1]
    a_token = characters / (len(blocks) * stride)
    assert isinstance(spec.training.batch_size, int)
    read = (steps - 1) * spec.training.batch_size * blocks.shape[1] * a_token
    speed = Speed([], [], [], bf16=False)
    for turn in range(turns):
        sides = ["ours", "plain", "alike"]
        for side in sides if turn % 2 == 0 else reversed(sides):
            if side == "ours":
                seconds, speed.bf16 = ours(spec, corpus, work / f"{preset}-{turn}")
                speed.ours.append(read / seconds)
            elif side == "plain":
                speed.plain.append(read / plain(spec, blocks, len(tokenizer), bf16=False))
            elif speed.bf16 or not speed.ours:
                seconds = plain(spec, blocks, len(tokenizer), bf16=True)
                speed.plain_alike.append(read / seconds)
    return speed


def ratio(some: list[float], others: list[float]) -> str:
    """Median of the turns' ratios, with the least and the greatest."""
    ratios = [one / other for one, other in zip(some, others, strict=True)]
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


def main() -> None:
    """Print the section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--steps", type=int, help="of each turn, in place of the recipes' own")
    parser.add_argument("--presets", nargs="+", default=list(STEPS), choices=list(STEPS))
    chosen = parser.parse_args()
    print("## The recurrent recipes beside plain PyTorch loops\n")
    print(
        f"`python benchmarks/recurrent.py --turns {chosen.turns}` on {platform.machine()}, "
        f"{os.cpu_count()} cores, {torch.get_num_threads()} of them used, Python "
        f"{platform.python_version()}, torch {torch.__version__}; load average "
        f"{os.getloadavg()[0]:.1f} at the start.\n"
    )
    print(
        "| recipe | ours | characters a processor second | plain loop, float32 | ours / it | "
        "plain loop, bfloat16 too | ours / it |"
    )
    print("| --- | --- | ---: | ---: | --- | ---: | --- |")
    with tempfile.TemporaryDirectory() as folder:
        corpus = write_corpus(Path(folder) / "corpus")
        for preset in chosen.presets:
            steps = chosen.steps or STEPS[preset]
            speed = measure(preset, corpus, Path(folder), chosen.turns, steps)
            alike = [""] * 2
            if speed.bf16:
                alike = [
                    f"{statistics.median(speed.plain_alike):,.0f}",
                    ratio(speed.ours, speed.plain_alike),
                ]
            print(
                f"| {preset} | {'bfloat16' if speed.bf16 else 'float32'} "
                f"| {statistics.median(speed.ours):,.0f} | {statistics.median(speed.plain):,.0f} "
                f"| {ratio(speed.ours, speed.plain)} | {alike[0]} | {alike[1]} |",
                flush=True,
            )


if __name__ == "__main__":
    main()
