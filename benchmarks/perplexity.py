"""Bits per byte: ours beside transformers' documentation's loop and beside lm-eval.

Each turn runs every side once, in a process of its own and in another order each time, on the same
tokens and windows: the documentation's at half the context (one window at a time, labels of -100,
all logits), lm-eval's apart. Its figure must be ours, or the benchmark says so and fails. What is
timed is the scoring alone, model and text at hand; memory is the whole process's.
"""

import argparse
import json
import math
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import torch
from transformers import (
    AutoConfig,
    AutoModelForCausalLM,
    AutoTokenizer,
    GPT2Config,
    GPT2LMHeadModel,
)

from pipeline.device import pick_device
from pipeline.likelihood import negative_log_likelihoods
from pipeline.model_spec import TokenizerSettings
from pipeline.models.framing import frame_of
from pipeline.models.sizes import GPT2_SIZES
from pipeline.models.tokenizers import encode, learn_tokenizer

#: GPT-2's, of a fresh model here too: what the head costs is its vocabulary.
VOCABULARY = 50_257
#: Characters of a story, from and to.
STORY = (400, 4000)
TEXTS = ("stories", "one long text")
#: Ours, and the peer on the same windows.
PAIRS = (("ours", "documentation"), ("ours, apart", "lm-eval"))
#: Bits per byte: beyond this the sides did not compute the same.
SAME = 1e-4


def fresh(size: str, text: str, folder: Path) -> None:
    """An untrained GPT-2 of this size, and a tokenizer learned from the text."""
    shape = GPT2_SIZES[size]
    tokenizer = learn_tokenizer(TokenizerSettings(vocabulary=8192), [text], shape.context)
    torch.manual_seed(0)
    config = GPT2Config(
        vocab_size=VOCABULARY,
        n_positions=shape.context,
        n_embd=shape.width,
        n_layer=shape.layers,
        n_head=shape.heads,
        bos_token_id=tokenizer.bos_token_id,
        eos_token_id=tokenizer.eos_token_id,
    )
    GPT2LMHeadModel(config).save_pretrained(folder)
    tokenizer.save_pretrained(folder)


def stories(text: str) -> list[str]:
    """The text in pieces of a story's length, cut between words."""
    rng, found, start = np.random.default_rng(0), [], 0
    while start < len(text):
        end = text.find(" ", start + int(rng.integers(*STORY)))
        end = len(text) if end < 0 else end
        found.append(text[start:end])
        start = end
    return found


def documentation(model: Any, streams: list[list[int]], context: int, stride: int) -> float:
    """The loop of the page "Perplexity of fixed-length models", on each document.

    Its last window reaches back as far as the others, as ours does: a different window would be
    another figure. Labels count from the second of a window's tokens on.
    """
    nats, max_length = 0.0, context + 1
    for ids in streams:
        input_ids = torch.tensor([ids], device=model.device)
        previous = 0
        for begin in range(0, len(ids), stride):
            end = min(begin + max_length, len(ids))
            begin = max(0, end - max_length)
            target_ids = input_ids[:, begin:end].clone()
            if previous:
                target_ids[:, : previous - end] = -100
            with torch.no_grad():
                loss = model(input_ids[:, begin:end], labels=target_ids).loss
            nats += float(loss) * (end - (previous or 1))
            previous = end
            if end == len(ids):
                break
    return nats


def lm_eval(model: Any, tokenizer: Any, texts: list[str], context: int) -> Callable[[], float]:
    """`loglikelihood_rolling`, ready to be called: its windows share no token that is scored."""
    from lm_eval.api.instance import Instance
    from lm_eval.models.huggingface import HFLM

    peer = HFLM(model, tokenizer=tokenizer, max_length=context, device=model.device.type)
    asked = [Instance("loglikelihood_rolling", {}, (text,), idx) for idx, text in enumerate(texts)]
    return lambda: -sum(peer.loglikelihood_rolling(asked, disable_tqdm=True))


def child(side: str, folder: Path, texts: list[str], context: int) -> dict[str, Any]:
    """One side, once: seconds by the wall and of the processor, nats, bytes of memory."""
    tokenizer = AutoTokenizer.from_pretrained(folder)
    on = pick_device()
    model = AutoModelForCausalLM.from_pretrained(folder, dtype=torch.float32).eval().to(on.kind)
    begin = frame_of(tokenizer).begin(None)
    encoded = encode(tokenizer, texts)
    begins = [begin] * len(encoded)
    streams = [[*begin, *ids.tolist()] for ids in encoded]
    half = context // 2
    score: Mapping[str, Callable[[], float]] = {
        "ours": lambda: sum(negative_log_likelihoods(model, encoded, begins, half, context)),
        "ours, apart": lambda: sum(
            negative_log_likelihoods(model, encoded, begins, context, context)
        ),
        "documentation": lambda: documentation(model, streams, context, half),
        "lm-eval": lm_eval(model, tokenizer, texts, context) if side == "lm-eval" else float,
    }
    model(torch.tensor([begin], device=model.device))  # what is loaded at the first call
    wall, processor = time.perf_counter(), time.process_time()
    nats = score[side]()
    took = [time.perf_counter() - wall, time.process_time() - processor]
    tokens = sum(map(len, encoded))
    return {"took": took, "nats": nats, "tokens": tokens, "memory": on.peak_memory()}


def run(side: str, folder: Path, texts: Path, context: int) -> dict[str, Any]:
    """One side in a process of its own."""
    command = [sys.executable, __file__, "--child", side, str(folder), str(texts), str(context)]
    done = subprocess.run(command, capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def measure(
    folder: Path, texts: list[str], place: Path, context: int, turns: int
) -> dict[str, Any]:
    """All sides in turns, the order turned about each time."""
    place.write_text(json.dumps(texts), "utf-8")
    sides = [side for pair in PAIRS for side in pair]
    found: dict[str, list[dict[str, Any]]] = {side: [] for side in sides}
    for turn in range(turns):
        for side in sides if turn % 2 == 0 else reversed(sides):
            found[side].append(run(side, folder, place, context))
    size = sum(len(text.encode()) for text in texts)
    for ours, peer in PAIRS:
        apart = abs(found[ours][0]["nats"] - found[peer][0]["nats"]) / math.log(2) / size
        if apart > SAME:
            raise SystemExit(f"{ours} and {peer} are {apart:.1e} bits per byte apart")
    return found


def show(what: str, found: dict[str, list[dict[str, Any]]]) -> None:
    """Rows of the table: each peer under ours on its windows."""
    for pair in PAIRS:
        for side in pair:
            tokens = found[side][0]["tokens"]
            wall, processor = (
                statistics.median(tokens / turn["took"][clock] for turn in found[side])
                for clock in (0, 1)
            )
            memory = max(turn["memory"] for turn in found[side]) / 2**20
            ratios = [
                theirs["took"][1] / ours["took"][1]
                for ours, theirs in zip(found[pair[0]], found[pair[1]], strict=True)
            ]
            ratio = f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"
            print(
                f"| {what} | {side} | {wall:,.0f} | {processor:,.0f} | "
                f"{ratio if side == pair[0] else ''} | {memory:,.0f} |",
                flush=True,
            )


def main() -> None:
    """Print the section."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("text", type=Path, help="a UTF-8 text file")
    parser.add_argument("--model", type=Path, help="a folder that transformers loads")
    parser.add_argument("--size", default="gpt2", choices=list(GPT2_SIZES), help="of a fresh one")
    parser.add_argument("--context", type=int, help="default: the model's")
    parser.add_argument("--kilobytes", type=int, default=40, help="of text; default: 40")
    parser.add_argument("--texts", nargs="+", choices=TEXTS, default=TEXTS)
    parser.add_argument("--turns", type=int, default=5)
    chosen = parser.parse_args()
    text = chosen.text.read_text("utf-8", errors="replace")[: chosen.kilobytes * 1000]
    with tempfile.TemporaryDirectory() as place:
        folder = chosen.model or Path(place) / "model"
        if chosen.model is None:
            fresh(chosen.size, text, folder)
        config = AutoConfig.from_pretrained(folder)
        context = chosen.context or config.max_position_embeddings - 1
        print("## Perplexity beside the documentation's loop and lm-eval\n")
        named = f"--model {chosen.model}" if chosen.model else f"--size {chosen.size}"
        print(
            f"`python benchmarks/perplexity.py {chosen.text.name} {named} --kilobytes "
            f"{chosen.kilobytes} --turns {chosen.turns}` on {pick_device().name}, Python "
            f"{platform.python_version()}, torch {torch.__version__}; windows of {context} tokens; "
            f"load average {os.getloadavg()[0]:.1f} at the start.\n"
        )
        print(
            "| text | side | tokens a second | tokens a processor second | peer's processor time / "
            "ours | peak memory, MiB |"
        )
        print("| --- | --- | ---: | ---: | --- | ---: |")
        for what in chosen.texts:
            texts = stories(text) if what == "stories" else [text]
            show(what, measure(folder, texts, Path(place) / "texts", context, chosen.turns))


if __name__ == "__main__":
    if sys.argv[1:2] == ["--child"]:
        side, folder, texts, context = sys.argv[2:]
        print(
            json.dumps(child(side, Path(folder), json.loads(Path(texts).read_text()), int(context)))
        )
    else:
        main()
