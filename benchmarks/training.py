"""Our training beside nanoGPT's train.py and transformers' run_clm.py: the same model and text.

`python benchmarks/training.py TEXT --nanogpt DIR --run-clm FILE` prints the section for RESULTS.md.
The peers run as they are, each as its own command; what a person must bring is in README.md. Each
program says its steps as it goes; time and processor time are taken between two of those lines, so
that neither starting nor compiling counts, and the systems take turns.
"""

import argparse
import json
import os
import platform
import re
import shutil
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
import transformers
from training_text import documents, write_bins, write_corpus
from transformers import AutoConfig, AutoModelForCausalLM

from pipeline.device import peak_flops, pick_device
from pipeline.model_spec import TokenizerSettings
from pipeline.models.sizes import GPT2_SIZES
from pipeline.models.tokenizers import learn_tokenizer
from pipeline.training.flops import flops_per_token

_ROOT = Path(__file__).parents[1]
#: Lines by which a program says that it has done so many steps.
_STEP = re.compile(r"^(?:step (\d+)/|iter (\d+):|\{.*'loss':)")


@dataclass(frozen=True)
class Setting:
    """What all systems train."""

    size: str  # of GPT2_SIZES
    block: int  # tokens
    batch: int  # blocks a step
    steps: int
    window: int  # steps between two lines
    device: str
    vocabulary: int

    @property
    def tokens_a_step(self) -> int:
        """Tokens that a step reads."""
        return self.batch * self.block


@dataclass(frozen=True)
class Turn:
    """What one run of one system showed."""

    tokens_per_second: float
    processor: float  # seconds a thousand tokens
    whole: float  # seconds, from its start to its end
    memory: float  # bytes: of the device on CUDA, else of the process


def run(command: Sequence[str], folder: Path, setting: Setting, extra: Mapping[str, str]) -> Turn:
    """Run a program to its end and time it between its first and its last line of a step."""
    seen: list[tuple[int, float, float]] = []  # step, time, processor time
    memory = 0.0
    began = time.monotonic()
    with (folder / "log.txt").open("w") as log:
        with subprocess.Popen(
            command,
            cwd=folder,
            stdout=subprocess.PIPE,
            stderr=log,
            text=True,
            env={**os.environ, "PYTHONUNBUFFERED": "1", "PYTHONPATH": str(_ROOT), **extra},
        ) as child:
            assert child.stdout is not None
            for line in child.stdout:
                log.write(line)
                if found := _STEP.match(line):
                    number = found.group(1) or found.group(2)
                    step = int(number) if number else (len(seen) + 1) * setting.window
                    if step and step not in [before for before, _, _ in seen]:
                        seen.append((step, time.monotonic(), _processor_seconds(child.pid)))
                        memory = max(memory, _memory(child.pid, setting.device))
        whole = time.monotonic() - began
        if child.returncode:
            log.flush()
            tail = "".join((folder / "log.txt").read_text().splitlines(keepends=True)[-8:])
            raise SystemExit(f"error: {' '.join(command)} ended with {child.returncode}\n{tail}")
    # nanoGPT counts from 0 and so says one step later; the first window warms up.
    timed = [entry for entry in seen if entry[0] >= setting.window]
    (first, start, worked), (last, end, worked_then) = timed[0], timed[-1]
    tokens = (last - first) * setting.tokens_a_step
    return Turn(tokens / (end - start), 1000 * (worked_then - worked) / tokens, whole, memory)


def _processor_seconds(process: int) -> float:
    fields = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def _memory(process: int, device: str) -> float:
    if device == "cuda":
        asked = ["nvidia-smi", "--query-compute-apps=used_memory", "--format=csv,noheader,nounits"]
        used = subprocess.run(asked, capture_output=True, text=True, check=True).stdout.split()
        return max((float(mib) * 2**20 for mib in used if mib.isdecimal()), default=0.0)
    status = Path(f"/proc/{process}/status").read_text()
    return int(status.partition("VmHWM:")[2].split()[0]) * 1024.0


def ours(work: Path, setting: Setting, **training: Any) -> Callable[[Path], Turn]:
    """Our training, as Dagster starts it."""

    def turn(folder: Path) -> Turn:
        spec = {
            "name": "ours",
            "corpus": "text",
            "preset": "gpt2",
            "size": setting.size,
            "tokenizer": {"source": str(work / "tokenizer")},
            "training": {
                "steps": setting.steps,
                "batch_size": setting.batch,
                "block_size": setting.block,
                "log_every": setting.window,
                "eval_every": setting.steps * 2,
                "save_every": setting.steps * 2,
                "eval_blocks": 1,
                **training,
            },
        }
        (folder / "spec.json").write_text(json.dumps(spec))
        command = [sys.executable, "-m", "pipeline.training", "--spec", "spec.json"]
        command += ["--corpus", str(work / "corpus"), "--folder", "model"]
        return run([*command, "--device", setting.device], folder, setting, {})

    return turn


def nanogpt(
    work: Path, setting: Setting, source: Path, python: str, *, compiled: bool
) -> Callable[[Path], Turn]:
    """nanoGPT's train.py as it is, on its own kind of data."""
    size = GPT2_SIZES[setting.size]
    flags: dict[str, Any] = {
        "dataset": "text",
        "device": setting.device,
        "compile": compiled,
        "n_layer": size.layers,
        "n_head": size.heads,
        "n_embd": size.width,
        "bias": True,
        "block_size": setting.block,
        "batch_size": setting.batch,
        "gradient_accumulation_steps": 1,
        "max_iters": setting.steps,
        "lr_decay_iters": setting.steps,
        "warmup_iters": 2,
        "log_interval": setting.window,
        "eval_interval": setting.steps * 2,
        "eval_iters": 1,
    }

    def turn(folder: Path) -> Turn:
        for script in ("train.py", "model.py", "configurator.py"):
            shutil.copy(source / script, folder)
        (folder / "data").mkdir()
        (folder / "data" / "text").symlink_to(work / "bins")
        command = [python, "train.py", *(f"--{key}={value}" for key, value in flags.items())]
        return run(command, folder, setting, {})

    return turn


def run_clm(work: Path, setting: Setting, script: Path, python: str) -> Callable[[Path], Turn]:
    """run_clm.py as it is, with its defaults but what names the model, the data and the length."""
    size = GPT2_SIZES[setting.size]
    shape = f"n_layer={size.layers},n_head={size.heads},n_embd={size.width}"
    shape += f",n_positions={setting.block},vocab_size={setting.vocabulary}"
    shape += ",resid_pdrop=0.0,embd_pdrop=0.0,attn_pdrop=0.0"
    command = [python, str(script), "--model_type", "gpt2", "--config_overrides", shape]
    command += ["--tokenizer_name", str(work / "tokenizer"), "--do_train"]
    command += ["--train_file", str(work / "corpus" / "train.txt")]
    command += ["--validation_file", str(work / "corpus" / "validation.txt")]
    command += ["--block_size", str(setting.block), "--max_steps", str(setting.steps)]
    command += ["--per_device_train_batch_size", str(setting.batch), "--output_dir", "out"]
    command += ["--logging_steps", str(setting.window), "--save_strategy", "no"]
    command += ["--disable_tqdm", "true", "--use_cpu", str(setting.device == "cpu")]
    command += ["--bf16"] if setting.device == "cuda" else []

    def turn(folder: Path) -> Turn:
        offline = {"HF_HUB_OFFLINE": "1", "HF_DATASETS_CACHE": str(work / "cache")}
        return run(command, folder, setting, offline)

    return turn


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
