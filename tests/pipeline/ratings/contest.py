"""Two writers' sample sets, to be rated: rows of SAMPLES without a training."""

from pathlib import Path
from typing import Any

import pyarrow as pa

from pipeline.ratings.session import Session
from pipeline.ratings.stories import Pair, Writer, pairs_of_models
from pipeline.schema import SAMPLES

PROMPTS = ("The ferryman counted", "Nobody had asked the owl")
HERE = {"owl-lstm": "a" * 64, "owl-gpt2": "b" * 64}


def row(model: str, number: int, prompt: str, text: str, **other: Any) -> dict[str, Any]:
    told = {
        "model": model, "sample": number, "weights": "0" * 64, "step": 30, "prompt_index": 0,
        "prompt": prompt, "genre": None, "setting": "calm", "temperature": 0.8, "top_k": 0,
        "top_p": 0.95, "repetition_penalty": 1.0, "max_length": 200, "whole_sentences": False,
        "include_prompt": True, "seed": number, "text": text, "tokens": 9, "finished": True,
    }  # fmt: skip
    return told | other


def rows(model: str, each: int = 2, **other: Any) -> list[dict[str, Any]]:
    """`each` stories for each prompt."""
    return [
        row(
            model,
            number,
            prompt,
            f" the lamps by night, said {model} the {number}th time.",
            **other,
        )
        for number, prompt in enumerate(prompt for prompt in PROMPTS for _ in range(each))
    ]


def table(*some: list[dict[str, Any]]) -> pa.Table:
    return pa.Table.from_pylist([row for rows in some for row in rows], schema=SAMPLES)


def writer(model: str, step: int = 30, **other: Any) -> tuple[Writer, str, pa.Table]:
    return Writer(model, step), HERE[model], table(rows(model, step=step, **other))


def pairs(each: int = 2) -> list[Pair]:
    return pairs_of_models(writer("owl-lstm", each=each), writer("owl-gpt2", each=each))


def session(votes: Path, rater: str = "ines", each: int = 2) -> Session:
    return Session(pairs(each), votes, rater, HERE)
