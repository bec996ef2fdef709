"""One turn of a training program for training.py: run as it is, and timed by what it says.

Each program says its steps as it goes; time and processor time are taken between two of those
lines, so that neither starting nor compiling counts.
"""

import json
import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.models.sizes import GPT2_SIZES

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
