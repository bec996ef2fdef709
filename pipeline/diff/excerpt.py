"""The passage in which two texts differ, with a little of what is the same around it.

From the first character that differs to the last: exact, and linear in the texts' lengths, which a
shortest edit script of two books is not.
"""

from itertools import takewhile

#: Characters of the same text on either side, and of what differs.
_AROUND, _WITHIN = 60, 240


def excerpt(before: str, now: str) -> dict[str, str]:
    """What stood and what stands there: `lead`, `before`, `now`, `tail`, cut with an ellipsis."""
    shorter = min(len(before), len(now))
    begin = _same(before, now, shorter)
    end = _same(before[begin:][::-1], now[begin:][::-1], shorter - begin)
    lead, tail = before[max(0, begin - _AROUND) : begin], before[len(before) - end :]
    return {
        "lead": ("…" if begin > _AROUND else "") + lead,
        "before": _bounded(before[begin : len(before) - end]),
        "now": _bounded(now[begin : len(now) - end]),
        "tail": tail[:_AROUND] + ("…" if len(tail) > _AROUND else ""),
    }


def _same(one: str, other: str, most: int) -> int:
    """How many characters the texts have in common at their beginning."""
    pairs = zip(one[:most], other[:most], strict=True)
    return sum(1 for _ in takewhile(lambda pair: pair[0] == pair[1], pairs))


def _bounded(text: str) -> str:
    return text if len(text) <= _WITHIN else text[:_WITHIN] + "…"
