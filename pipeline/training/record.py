"""What stands with a trained model, so that it can be made again: training.json."""

import platform
from importlib.metadata import version

#: Whose versions decide the weights; those that are not installed had no part.
_LIBRARIES = (
    "torch", "transformers", "accelerate", "tokenizers", "safetensors", "numpy", "peft", "gensim"
)  # fmt: skip


def last(history: list[dict[str, float]], key: str) -> float | None:
    """The last value logged under `key`."""
    return next((entry[key] for entry in reversed(history) if key in entry), None)


def versions() -> dict[str, str]:
    """Of Python and the libraries that are installed."""
    found = {"python": platform.python_version()}
    for name in _LIBRARIES:
        try:
            found[name] = version(name)
        except ModuleNotFoundError:
            continue
    return found
