"""When a training has learned what it can: the best look at held-out text, and how long ago it was.

Both are read from the Trainer's log, which every checkpoint holds, so that a resumed training knows
what one that was never killed knows.
"""

from collections.abc import Mapping, Sequence


def best_step(history: Sequence[Mapping[str, float]]) -> int | None:
    """The step with the fewest held-out bits per byte, the first of equals; None before a look.

    The look before the first step is none: what it sees was not trained.
    """
    looks = _looks(history)
    return min(looks, key=looks.__getitem__) if looks else None


def looks_since_best(history: Sequence[Mapping[str, float]]) -> int:
    """How many looks in a row found nothing better."""
    best = best_step(history)
    return 0 if best is None else sum(step > best for step in _looks(history))


def _looks(history: Sequence[Mapping[str, float]]) -> dict[int, float]:
    """Bits per byte by step."""
    return {
        int(entry["step"]): entry["eval_bits_per_byte"]
        for entry in history
        if "eval_bits_per_byte" in entry and entry["step"] > 0
    }
