"""Our sample sets beside transformers' TextGenerationPipeline, one story by one: stories a second.

`python benchmarks/samples.py` prints the section for RESULTS.md. A model is the `final` folder of a
trained one, or a name for a fresh one of that shape. Both sides draw the same prompts by the same
setting, as many new tokens each: none ends early, since the token that ends a story is made as
unlikely as can be. They take turns, each in a process of its own, whose peak of memory is told. The
model is loaded and a short story drawn before the clock starts. Time is the wall's, as a person
waits: the machine should have nothing else to do.
"""

import argparse
import json
import os
import platform
import statistics
import subprocess
import sys
import tempfile
import time
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import Any

import torch
from recurrent import write_corpus

from pipeline.device import Device, pick_device
from pipeline.model_spec import ModelSpec, SamplingSetting
from pipeline.models.framing import frame_of
from pipeline.models.tokenizers import encode

PROMPTS = ("The old ferryman", "In the drowned tower", "Nobody came back", "A lantern")
SETTINGS: dict[str, dict[str, Any]] = {
    "nucleus": {"temperature": 1.0, "top_k": 0, "top_p": 0.9},
    "top-k": {"temperature": 0.8, "top_k": 50, "top_p": 1.0},
}
#: Fresh models by name: what a spec says of each.
SHAPES: dict[str, dict[str, Any]] = {
    "char-lstm": {"preset": "char-lstm"},
    "char-lstm2": {"preset": "char-lstm2"},
    "nano": {"preset": "gpt2", "size": "nano"},
    "mini": {"preset": "gpt2", "size": "mini"},
    "gpt2": {"preset": "gpt2", "size": "gpt2"},
}
#: Entries of the vocabulary that came with GPT-2 124M; a corpus made up here teaches fewer.
GPT2_VOCABULARY = 50_257


@dataclass
class Turn:
    """What one process measured."""

    seconds: float
    tokens: int
    peak: int  # bytes


def ours(folder: Path, setting: str, stories: int, new: int, device: Device) -> tuple[float, int]:
    """Seconds, and tokens drawn."""
    from pipeline.generation import Request, draw
    from pipeline.models.initial import load_trained

    model, tokenizer = load_trained(folder)
    model.to(device.kind)
    _let_no_story_end(model, frame_of(tokenizer).end)

    def requests(count: int, tokens: int) -> list[Request]:
        asked = []
        for number in range(count):
            prompt = PROMPTS[number % len(PROMPTS)]
            length = len(encode(tokenizer, [prompt])[0]) + tokens
            how = SamplingSetting(max_length=length, **SETTINGS[setting])
            asked.append(Request(prompt, how, number))
        return asked

    draw(model, tokenizer, requests(1, 2))
    asked = requests(stories, new)
    began = time.perf_counter()
    drawn = draw(model, tokenizer, asked)
    return time.perf_counter() - began, sum(story.tokens for story in drawn)


def theirs(folder: Path, setting: str, stories: int, new: int, device: Device) -> tuple[float, int]:
    """Seconds, and tokens drawn."""
    from transformers import pipeline

    from pipeline.models import recurrent  # so that transformers knows our own models
    from pipeline.models.pretrained import quiet

    assert recurrent
    quiet()
    tell = pipeline("text-generation", model=str(folder), device=device.kind, dtype=torch.float32)
    _let_no_story_end(tell.model, frame_of(tell.tokenizer).end)
    how = {"do_sample": True, "return_tensors": True, "add_special_tokens": False}
    tell(PROMPTS[0], max_new_tokens=2, **how, **SETTINGS[setting])
    tokens = 0
    began = time.perf_counter()
    for number in range(stories):
        prompt = PROMPTS[number % len(PROMPTS)]
        torch.manual_seed(number)
        (told,) = tell(prompt, max_new_tokens=new, **how, **SETTINGS[setting])
        tokens += len(told["generated_token_ids"]) - len(encode(tell.tokenizer, [prompt])[0])
    return time.perf_counter() - began, tokens


def _let_no_story_end(model: Any, end: int) -> None:
    def forget(_: object, __: object, logits: torch.Tensor) -> torch.Tensor:
        logits[..., end] = -1e4
        return logits

    model.get_output_embeddings().register_forward_hook(forget)


def fresh(name: str, folder: Path) -> Path:
    """A model of the named shape, as if it were trained."""
    from pipeline.models.initial import load_initial

    corpus = folder / "corpus"
    if not corpus.is_dir():
        write_corpus(corpus)
    spec = ModelSpec.model_validate(
        {"name": "fresh", "corpus": "words", "vectors": None} | SHAPES[name]
    )
    model, tokenizer = load_initial(spec, corpus)
    if name == "gpt2":
        model.resize_token_embeddings(GPT2_VOCABULARY)
    model.save_pretrained(folder / name)
    tokenizer.save_pretrained(folder / name)
    return folder / name


def turn(side: str, folder: Path, chosen: argparse.Namespace, stories: int) -> Turn:
    """One side, in a process of its own."""
    done = subprocess.run(
        [
            *[sys.executable, __file__, "--side", side, "--models", str(folder)],
            *["--setting", chosen.setting, "--stories", str(stories)],
            *["--new", str(chosen.new), "--device", chosen.device],
        ],
        capture_output=True,
        text=True,
    )
    if done.returncode:
        sys.exit(done.stderr)
    return Turn(**json.loads(done.stdout.splitlines()[-1]))


def ratio(some: list[float], others: list[float]) -> str:
    """Median of the turns' ratios, with the least and the greatest."""
    ratios = [one / other for one, other in zip(some, others, strict=True)]
    return f"{statistics.median(ratios):.1f} ({min(ratios):.1f} to {max(ratios):.1f})"


def compare(model: str, work: Path, chosen: argparse.Namespace) -> list[str]:
    """The two rows of the table."""
    folder = fresh(model, work) if model in SHAPES else Path(model)
    turns: dict[str, list[Turn]] = {"ours": [], "theirs": []}
    for number in range(chosen.turns):
        for side in sorted(turns, reverse=bool(number % 2)):
            # Their speed is the same after one story as after ten; a set of ours is drawn together.
            stories = chosen.stories if side == "ours" else chosen.stories_one_by_one
            turns[side].append(turn(side, folder, chosen, stories))
    rows = []
    speeds = {side: [one.tokens / one.seconds for one in some] for side, some in turns.items()}
    for side, name in (("ours", "ours"), ("theirs", "TextGenerationPipeline")):
        speed = statistics.median(speeds[side])
        peak = statistics.median(one.peak for one in turns[side]) / 2**20
        lead = ratio(speeds["ours"], speeds["theirs"]) if side == "theirs" else ""
        shown = model if model in SHAPES else "/".join(folder.parts[-3:-1])
        rows.append(
            f"| {shown} | {name} | {speed / chosen.new:.3g} | {speed:,.0f} | {lead} | {peak:,.0f} |"
        )
    return rows


def main() -> None:
    """Print the section, or, asked for one side, what it measured."""
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
    parser.add_argument("--models", nargs="+", default=["char-lstm", "mini", "gpt2"],
                        help=f"folders, or of {', '.join(SHAPES)}")  # fmt: skip
    parser.add_argument("--setting", choices=list(SETTINGS), default="nucleus")
    parser.add_argument("--stories", type=int, default=64, help="that we draw in a turn")
    parser.add_argument("--stories-one-by-one", type=int, default=8, help="that the peer draws")
    parser.add_argument("--new", type=int, default=100, help="tokens of each, after its prompt")
    parser.add_argument("--turns", type=int, default=5)
    parser.add_argument("--device", default="cpu")
    parser.add_argument("--side", choices=["ours", "theirs"], help=argparse.SUPPRESS)
    chosen = parser.parse_args()
    device = pick_device(chosen.device)
    if chosen.side:
        measure = ours if chosen.side == "ours" else theirs
        seconds, tokens = measure(
            Path(chosen.models[0]), chosen.setting, chosen.stories, chosen.new, device
        )
        told = {"seconds": seconds, "tokens": tokens, "peak": device.peak_memory()}
        print(json.dumps(told))
        return
    print("## Sample sets beside TextGenerationPipeline, one story by one\n")
    print(
        f"`python benchmarks/samples.py {' '.join(sys.argv[1:])}` on {platform.machine()}, "
        f"{device.name}, {os.cpu_count()} cores, Python {platform.python_version()}, torch "
        f"{torch.__version__}, transformers {version('transformers')}; load average "
        f"{os.getloadavg()[0]:.1f} at the start. {chosen.setting}, {chosen.new} new tokens a "
        f"story; medians of {chosen.turns} turns, the ratio with the least and the greatest.\n"
    )
    print("| model | | stories/s | tokens/s | ours / it | MiB |")
    print("| --- | --- | ---: | ---: | ---: | ---: |")
    with tempfile.TemporaryDirectory() as work:
        for model in chosen.models:
            print("\n".join(compare(model, Path(work), chosen)), flush=True)


if __name__ == "__main__":
    main()
