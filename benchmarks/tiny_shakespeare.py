"""Our training beside nanoGPT's recipe for Tiny Shakespeare on a processor, from start to end.

`python benchmarks/tiny_shakespeare.py input.txt --nanogpt DIR` prints the section for RESULTS.md:
the time of either whole command, and the nats a character of all of the held-out tenth, counted by
one function in blocks of 64 for both. The recipe is that of nanoGPT's README, which says 1.88 after
about three minutes. `--recipe gpu` is that of its config file, to be run on a GPU.
"""

import argparse
import json
import os
import pickle
import platform
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import torch
from training_text import write_corpus

from pipeline.device import pick_device
from pipeline.models.initial import load_trained
from pipeline.models.tokenizers import encode

_ROOT = Path(__file__).parents[1]
_CONFIG = "config/train_shakespeare_char.py"

#: By recipe: nanoGPT's flags (README.md, "quick start"), and the same of ours.
_RECIPES: dict[str, tuple[dict[str, Any], dict[str, Any]]] = {
    "cpu": (
        {
            "device": "cpu",
            "compile": False,
            "eval_iters": 20,
            "log_interval": 1,
            "block_size": 64,
            "batch_size": 12,
            "n_layer": 4,
            "n_head": 4,
            "n_embd": 128,
            "max_iters": 2000,
            "lr_decay_iters": 2000,
            "dropout": 0.0,
        },
        {
            "size": "tiny",
            "training": {"block_size": 64, "batch_size": 12, "steps": 2000, "eval_every": 250},
        },
    ),
    "gpu": (
        {},
        {
            "size": "small",
            "training": {
                "block_size": 256,
                "batch_size": 64,
                "steps": 5000,
                "eval_every": 250,
                "dropout": 0.2,
                "stride": 64,
            },
        },
    ),
}


@dataclass(frozen=True)
class Turn:
    """One run of one system."""

    seconds: float  # of the whole command
    processor: float  # seconds
    nats: float  # a character of the held-out text


def ours(work: Path, folder: Path, recipe: str, steps: int | None, text: str) -> Turn:
    """Our training of the preset `gpt2`, fresh, with a vocabulary of characters."""
    written = _RECIPES[recipe][1]
    if steps:
        written = {**written, "training": {**written["training"], "steps": steps}}
    spec = {"name": "ours", "corpus": "shakespeare", "preset": "gpt2"}
    spec |= {"tokenizer": {"kind": "characters"}, **written}
    (folder / "spec.json").write_text(json.dumps(spec))
    command = [sys.executable, "-m", "pipeline.training", "--spec", "spec.json"]
    command += ["--corpus", str(work / "corpus"), "--folder", "model"]
    seconds, processor = _timed(command, folder)
    model, tokenizer = load_trained(folder / "model" / "final")
    ids = encode(tokenizer, [text])[0]
    if len(ids) != len(text):
        raise SystemExit("error: a character of the text is not one token")

    def logits(block: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = model(input_ids=block, use_cache=False).logits
        return result

    block_size = written["training"]["block_size"]
    return Turn(seconds, processor, _nats(logits, ids, block_size))


def nanogpt(
    source: Path, python: str, folder: Path, recipe: str, steps: int | None, train: str, text: str
) -> Turn:
    """nanoGPT's train.py as it is, and the checkpoint that it leaves."""
    shutil.copytree(source, folder, dirs_exist_ok=True, ignore=shutil.ignore_patterns(".git"))
    number = {character: place for place, character in enumerate(sorted({*train, *text}))}
    data = folder / "data" / "shakespeare_char"
    for name, part in (("train.bin", train), ("val.bin", text)):
        np.array([number[c] for c in part], dtype=np.uint16).tofile(data / name)
    (data / "meta.pkl").write_bytes(pickle.dumps({"vocab_size": len(number)}))
    flags = _RECIPES[recipe][0]
    if steps:
        flags = {**flags, "max_iters": steps, "lr_decay_iters": steps, "eval_interval": steps}
    command = [python, "train.py", _CONFIG, *(f"--{key}={value}" for key, value in flags.items())]
    seconds, processor = _timed(command, folder)
    sys.path.insert(0, str(folder))
    from model import GPT, GPTConfig  # nanoGPT's own

    saved = torch.load(
        folder / "out-shakespeare-char" / "ckpt.pt", map_location="cpu", weights_only=True
    )
    model = GPT(GPTConfig(**saved["model_args"]))
    model.load_state_dict(
        {key.removeprefix("_orig_mod."): value for key, value in saved["model"].items()}
    )
    model.eval()

    def logits(block: torch.Tensor) -> torch.Tensor:
        result: torch.Tensor = model(block, block)[0]
        return result

    ids = np.array([number[character] for character in text])
    return Turn(seconds, processor, _nats(logits, ids, saved["model_args"]["block_size"]))


@torch.no_grad()
def _nats(logits: Callable[[torch.Tensor], torch.Tensor], ids: Any, block_size: int) -> float:
    """Mean nats of each character but the first, given those before it in its block."""
    blocks = (len(ids) - 1) // block_size
    given = torch.from_numpy(ids[: blocks * block_size].astype(np.int64))
    wanted = torch.from_numpy(ids[1 : blocks * block_size + 1].astype(np.int64))
    total = 0.0
    for block, target in zip(
        given.view(blocks, block_size).split(64),
        wanted.view(blocks, block_size).split(64),
        strict=True,
    ):
        scores = logits(block).flatten(0, 1).float()
        total += torch.nn.functional.cross_entropy(scores, target.flatten(), reduction="sum").item()
    return total / len(wanted)


def _timed(command: Sequence[str], folder: Path) -> tuple[float, float]:
    """Seconds and processor seconds of a command."""
    environment = {**os.environ, "PYTHONPATH": str(_ROOT)}
    began = time.monotonic()
    with (folder / "log.txt").open("w") as log:
        child = subprocess.Popen(
            command, cwd=folder, stdout=log, stderr=subprocess.STDOUT, env=environment
        )
        _, status, usage = os.wait4(child.pid, 0)
    if os.waitstatus_to_exitcode(status):
        tail = "\n".join((folder / "log.txt").read_text().splitlines()[-8:])
        raise SystemExit(f"error: {' '.join(command)} failed\n{tail}")
    return time.monotonic() - began, usage.ru_utime + usage.ru_stime


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("text", type=Path, help="input.txt of karpathy/char-rnn's tinyshakespeare")
    options.add_argument("--nanogpt", type=Path, help="a checkout of karpathy/nanoGPT")
    options.add_argument("--peer", default=sys.executable, help="the Python that runs it")
    options.add_argument("--recipe", choices=_RECIPES, default="cpu")
    options.add_argument("--steps", type=int, help="default: as many as the recipe has")
    options.add_argument("--turns", type=int, default=2)
    given = options.parse_args()
    whole = given.text.read_text("utf-8")
    at = int(len(whole) * 0.9)  # as nanoGPT's prepare.py has it
    train, text = whole[:at], whole[at:]
    turns: dict[str, list[Turn]] = {"ours": [], "nanoGPT": []}
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        write_corpus(work / "corpus", {"train": [train], "validation": [text]})
        for number in range(given.turns):
            (work / f"ours-{number}").mkdir()
            turns["ours"].append(
                ours(work, work / f"ours-{number}", given.recipe, given.steps, text)
            )
            print(turns["ours"][-1], file=sys.stderr, flush=True)
            if given.nanogpt:
                folder = work / f"nanogpt-{number}"
                turns["nanoGPT"].append(
                    nanogpt(
                        given.nanogpt, given.peer, folder, given.recipe, given.steps, train, text
                    )
                )
                print(turns["nanoGPT"][-1], file=sys.stderr, flush=True)
    device = pick_device("cpu" if given.recipe == "cpu" else None)
    print(f"{device.name}, {platform.machine()}, torch {torch.__version__}; {given.turns} turns.\n")
    print("| | whole command, s | processor, s | nats a character of the held-out tenth |")
    print("| --- | ---: | ---: | ---: |")
    for label, done in turns.items():
        if done:
            figures = [f"{statistics.median(turn.seconds for turn in done):,.0f}"]
            figures += [f"{statistics.median(turn.processor for turn in done):,.0f}"]
            figures += [" ".join(f"{turn.nats:.3f}" for turn in done)]
            print(f"| {label} | {' | '.join(figures)} |")


if __name__ == "__main__":
    main()
