"""Our training beside nanoGPT's train.py and transformers' run_clm.py: the same model and text.

`python benchmarks/training.py TEXT --nanogpt DIR --run-clm FILE` prints the section for RESULTS.md.
The peers run as they are, each as its own command (training_turns.py), and the systems take turns;
what a person must bring is in README.md.
"""

import argparse
import os
import platform
import shutil
import statistics
import sys
import tempfile
from collections.abc import Mapping, Sequence
from pathlib import Path

import torch
import transformers
from training_text import documents, write_bins, write_corpus
from training_turns import Setting, Turn, nanogpt, ours, run_clm
from transformers import AutoConfig, AutoModelForCausalLM

from pipeline.device import peak_flops, pick_device
from pipeline.model_spec import TokenizerSettings
from pipeline.models.sizes import GPT2_SIZES
from pipeline.models.tokenizers import learn_tokenizer
from pipeline.training.flops import flops_per_token


def main() -> None:
    """Measure and print."""
    options = argparse.ArgumentParser(description=__doc__)
    options.add_argument("text", type=Path, help="any file of text, a megabyte or more")
    options.add_argument("--nanogpt", type=Path, help="a checkout of karpathy/nanoGPT")
    options.add_argument("--run-clm", type=Path, help="run_clm.py of transformers' examples")
    options.add_argument("--peer", default=sys.executable, help="the Python that runs the peers")
    options.add_argument("--tokenizer", help="default: a BPE of 8,192 learned from the text")
    options.add_argument("--size", default="small", choices=GPT2_SIZES)
    options.add_argument("--block", type=int, default=256, help="tokens")
    options.add_argument("--batch", type=int, default=8, help="blocks a step")
    options.add_argument("--steps", type=int, default=25)
    options.add_argument("--window", type=int, default=5, help="steps between two lines")
    options.add_argument("--turns", type=int, default=3)
    options.add_argument("--device", default="cpu", choices=["cpu", "cuda"])
    options.add_argument("--no-compile", action="store_true", help="leave out what compiles")
    given = options.parse_args()
    with tempfile.TemporaryDirectory() as name:
        work = Path(name)
        pieces = documents(given.text.read_text("utf-8"))
        held_out = max(1, len(pieces) // 20)
        corpus = {"train": pieces[held_out:], "validation": pieces[:held_out]}
        write_corpus(work / "corpus", corpus)
        settings = TokenizerSettings(source=given.tokenizer)
        tokenizer = learn_tokenizer(settings, corpus["train"], None)
        tokenizer.model_max_length = given.block
        tokenizer.save_pretrained(work / "tokenizer")
        write_bins(work / "bins", work / "corpus", tokenizer)
        setting = Setting(
            given.size,
            given.block,
            given.batch,
            given.steps,
            given.window,
            given.device,
            len(tokenizer),
        )
        systems = {
            "ours": ours(work, setting),
            "ours, fp32": ours(work, setting, precision="fp32"),
        }
        if not given.no_compile:
            systems["ours, compiled"] = ours(work, setting, compile=True)
        if given.nanogpt:
            ways = {"": False, ", compiled (its default)": True}
            for label, compiled in list(ways.items())[: 1 if given.no_compile else 2]:
                systems[f"nanoGPT{label}"] = nanogpt(
                    work, setting, given.nanogpt.resolve(), given.peer, compiled=compiled
                )
        if given.run_clm:
            systems["run_clm.py"] = run_clm(work, setting, given.run_clm.resolve(), given.peer)
        turns: dict[str, list[Turn]] = {label: [] for label in systems}
        load = []
        for number in range(given.turns):
            for place, (label, turn) in enumerate(systems.items()):
                folder = work / f"{number}-{place}"
                folder.mkdir()
                load.append(os.getloadavg()[0])
                turns[label].append(turn(folder))
                print(f"{label}: {turns[label][-1]}", file=sys.stderr, flush=True)
                shutil.rmtree(folder)
        report(setting, turns, load)


def report(setting: Setting, turns: Mapping[str, Sequence[Turn]], load: Sequence[float]) -> None:
    """The section for RESULTS.md."""
    device = pick_device(setting.device)
    size = GPT2_SIZES[setting.size]
    config = AutoConfig.for_model(
        "gpt2",
        n_layer=size.layers,
        n_head=size.heads,
        n_embd=size.width,
        n_positions=setting.block,
        vocab_size=setting.vocabulary,
        bos_token_id=0,
        eos_token_id=0,
    )
    model = AutoModelForCausalLM.from_config(config)
    flops = flops_per_token(model, setting.block)
    peak = peak_flops(device, device.bf16)
    print(
        f"GPT-2 of {size.layers} layers, {size.width} wide, {model.num_parameters():,} parameters, "
        f"vocabulary {setting.vocabulary:,}, {setting.batch} x {setting.block:,} tokens a step, "
        f"{setting.steps:,} steps, dropout 0; {device.name}, {platform.machine()}, Python "
        f"{platform.python_version()}, torch {torch.__version__}, transformers "
        f"{transformers.__version__}. Medians of {len(turns['ours'])} turns; the ratios are of the "
        f"turns' pairs, with the least and the greatest. Load before a turn {min(load):.1f} to "
        f"{max(load):.1f}."
    )
    unknown = "unknown" if peak is None else f"{peak / 1e12:,.2f} TFLOP/s"
    print(f"A token takes {flops / 1e6:,.0f} MFLOP; the device's peak is {unknown}.\n")
    print(
        "| | tokens/s | ours / it | processor, s a 1,000 tokens | ours / it | MFU | whole | MiB |"
    )
    print("| --- | ---: | ---: | ---: | ---: | ---: | ---: | ---: |")
    for label, done in turns.items():
        speed = statistics.median(turn.tokens_per_second for turn in done)
        pairs = list(zip(turns["ours"], done, strict=True))
        faster = [mine.tokens_per_second / its.tokens_per_second for mine, its in pairs]
        dearer = [mine.processor / its.processor for mine, its in pairs]
        cells = [
            label,
            f"{speed:,.0f}",
            _range(faster) if label != "ours" else "",
            f"{statistics.median(turn.processor for turn in done):.3f}",
            _range(dearer) if label != "ours" else "",
            "" if peak is None else f"{speed * flops / peak:.1%}",
            f"{statistics.median(turn.whole for turn in done):,.0f} s",
            f"{max(turn.memory for turn in done) / 2**20:,.0f}",
        ]
        print(f"| {' | '.join(cells)} |")


def _range(ratios: Sequence[float]) -> str:
    return f"{statistics.median(ratios):.2f} ({min(ratios):.2f} to {max(ratios):.2f})"


if __name__ == "__main__":
    main()
