"""The presets: what a recipe's original settings were, as what a person would have written.

A key that the YAML file writes counts, the preset's stands for those it leaves out.
docs/recipes.md lists each original with every deviation and its reason.
"""

from collections.abc import Mapping
from typing import Any

#: Of all recurrent recipes: a constant rate without decay, and once an epoch a look at held-out
#: text and a checkpoint, as Keras' callbacks have it.
_KERAS: Mapping[str, Any] = {
    "schedule": "constant",
    "warmup_fraction": 0.0,
    "weight_decay": 0.0,
    "eval_every": "epoch",
    "eval_blocks": 1024,
    "save_every": "epoch",
}

#: By name; `gpt2` wants a `base` or a `size`.
PRESETS: Mapping[str, Mapping[str, Any]] = {
    # GPT-2, fine-tuned or fresh, on documents.
    "gpt2": {},
    # Film plots by genre: `<BOS> <genre> story <EOS>`, one a line. The original was trained by
    # transformers' run_language_modeling, line by line: longer stories cut, shorter ones padded.
    "gpt2-genre": {
        "training": {
            "epochs": 10,
            "batch_size": 4,
            "block_size": 512,
            "weight_decay": 0.0,
            "eval_every": 500,
            "save_every": 500,
            "save_total_limit": 1,
        },
        "samples": {
            "settings": [
                {
                    "name": "classic",
                    "temperature": 0.9,
                    "top_k": 50,
                    "top_p": 0.95,
                    "repetition_penalty": 1.2,
                    "max_length": 256,
                }
            ]
        },
    },
    # Keras' lstm_text_generation: 128 units over one-hot characters, windows of 100, step 3.
    "char-lstm": {
        "tokenizer": {"kind": "characters"},
        "recurrent": {"cell": "lstm", "layers": [128]},
        "training": {
            **_KERAS,
            "epochs": 100,
            "batch_size": 128,
            "block_size": 100,
            "stride": 3,
            "optimizer": "rmsprop",
            "learning_rate": 0.01,
            "patience": 5,
        },
        "samples": {
            "settings": [
                {"name": name, "temperature": temperature, "top_k": 0, "max_length": 500}
                for name, temperature in (
                    ("cold", 0.2),
                    ("half", 0.5),
                    ("as-it-is", 1.0),
                    ("hot", 1.2),
                )
            ]
        },
    },
    # Words with pretrained word2vec: 100 dimensions, sentences of at most 40 words.
    "word-lstm": {
        "tokenizer": {"kind": "words", "min_count": 2},
        "recurrent": {"cell": "lstm", "embedding": 100, "layers": [100]},
        "vectors": {"window": 5, "min_count": 1, "epochs": 100},
        "training": {
            **_KERAS,
            "epochs": 20,
            "batch_size": 128,
            "block_size": 40,
            "learning_rate": 0.001,
            "patience": 3,
        },
        "samples": {
            "settings": [{"name": "cool", "temperature": 0.7, "top_k": 0, "max_length": 120}]
        },
    },
    # A series of books: embedding 300, GRU 512, GRU 256, dense; sampling divided by 0.5.
    "char-gru": {
        "tokenizer": {"kind": "characters"},
        "recurrent": {"cell": "gru", "embedding": 300, "layers": [512, 256]},
        "training": {
            **_KERAS,
            "epochs": 50,
            "batch_size": 64,
            "block_size": 100,
            "learning_rate": 0.001,
            "patience": 3,
        },
        "samples": {
            "settings": [{"name": "half", "temperature": 0.5, "top_k": 0, "max_length": 800}]
        },
    },
    # The complete works: embedding and two LSTM layers over characters, dropout, batch 128.
    "char-lstm2": {
        "tokenizer": {"kind": "characters"},
        "recurrent": {"cell": "lstm", "embedding": 256, "layers": [512, 512]},
        "training": {
            **_KERAS,
            "epochs": 30,
            "batch_size": 128,
            "block_size": 100,
            "learning_rate": 0.001,
            "dropout": 0.2,
            "patience": 3,
        },
        "samples": {
            "settings": [{"name": "warm", "temperature": 0.8, "top_k": 0, "max_length": 800}]
        },
    },
}


def with_preset(written: Mapping[str, Any]) -> dict[str, Any]:
    """What was written, over what its preset stands for; mappings are joined key by key.

    `steps` and `epochs` stand for one thing: who writes one does not get the preset's other. Who
    writes another tokenizer gets nothing of the preset's.
    """
    preset = PRESETS.get(str(written.get("preset")), {})
    joined = _over(preset, written)
    training, own = joined.get("training"), written.get("training")
    if isinstance(training, dict) and isinstance(own, Mapping):
        for one, other in (("steps", "epochs"), ("epochs", "steps")):
            if own.get(one) is not None and other not in own:
                training.pop(other, None)
    tokenizer = written.get("tokenizer")
    if isinstance(tokenizer, Mapping) and _another(tokenizer, preset.get("tokenizer", {})):
        joined["tokenizer"] = dict(tokenizer)
    return joined


def _another(tokenizer: Mapping[str, Any], preset: Mapping[str, Any]) -> bool:
    """Whether it is of another kind than the preset's, or not learned at all."""
    kind = preset.get("kind")
    return tokenizer.get("source") is not None or tokenizer.get("kind", kind) != kind


def _over(below: Mapping[str, Any], above: Mapping[str, Any]) -> dict[str, Any]:
    joined = dict(below)
    for key, value in above.items():
        under = joined.get(key)
        if isinstance(under, Mapping) and isinstance(value, Mapping):
            value = _over(under, value)
        joined[key] = value
    return joined
