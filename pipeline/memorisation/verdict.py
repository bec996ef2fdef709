"""Does a model copy more than it may, and what mends it.

By default the bound is what held-out human text of like length has in common with the training
text, names and set phrases as it is: a model is above it where the 95 % interval of its share of
copied words less theirs lies above 0. Both are counted by what makes texts alike, stories by prompt
and human text by work; of a single prompt, or a single held-out work, so little is certain that
only a model is above it that copies far more (`pipeline.intervals.difference_of_shares`). A bound
that a person wrote, `measures.copied`, is exceeded where the share is above it.

What mends it follows from the figures: training ends earlier where an earlier checkpoint copies no
more than the bound; passages that recur in the training text are what is learned by heart first
(Lee et al. 2022, "Deduplicating training data makes language models better"); a text that is read
many times over is too short for the model; likelier tokens are likelier copies.
"""

from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pipeline.intervals import Interval
from pipeline.memorisation.evidence import Copied, Evidence, read_evidence


@dataclass(frozen=True)
class Verdict:
    """Whether a model may be published, as a person reads it."""

    bound: float | None  # None: there is nothing to hold it against
    passed: bool
    sentence: str
    advice: list[str]


def verdict_of(folder: Path, written: float | None) -> dict[str, Any]:
    """Figures of the verdict on what `pipeline.memorisation.measure` wrote into `folder`.

    They are `bound`, `passed`, `verdict` and `advice`. Raises OSError and ValueError.
    """
    verdict = judge(read_evidence(folder), written)
    return {
        "bound": verdict.bound,
        "passed": verdict.passed,
        "verdict": verdict.sentence,
        "advice": verdict.advice,
    }


def judge(evidence: Evidence, written: float | None = None) -> Verdict:
    """The verdict, with advice where it is against the model; `written`: a person's bound."""
    last, human = evidence.by_step.get(evidence.step), evidence.human
    bound = written
    if bound is None and human is not None:
        bound = human.value
    if last is None:
        told = (
            f"Its last stories hold no word, or fewer than the {evidence.passage} of a passage, so "
            "whether it copies cannot be said."
        )
        return Verdict(bound, False, told, ["Train for more steps, or draw longer stories."])
    if human is None and written is None:
        told = (
            f"No held-out human text of {evidence.passage} words or more is of like length, so "
            "there is nothing to hold it against."
        )
        remedy = (
            "Draw shorter stories, give the corpus a larger held-out share, or write a bound of "
            "your own: measures.copied."
        )
        return Verdict(bound, False, told, [remedy])
    above = _above(written, last)
    advice = _advice(evidence, written) if above else []
    sentence = _sentence(evidence, human, last.share, above, written)
    return Verdict(bound, not above, sentence, advice)


def _above(written: float | None, copied: Copied) -> bool:
    if written is not None:
        return copied.share.value > written
    return copied.more is not None and copied.more.above(0)


def _sentence(
    evidence: Evidence, human: Interval | None, share: Interval, above: bool, written: float | None
) -> str:
    told = (
        f"{_share(share)} of its stories' words stand in passages of {evidence.passage} words or "
        "more from the training text"
    )
    if written is not None:
        side = "above" if above else "not above"
        return f"{told}, which is {side} the bound of {written:.2%} in measures.copied."
    assert human is not None  # or there were nothing to judge by
    told += f", and {_share(human)} of held-out human text: "
    if above:
        return told + "it copies more than held-out human text has in common with it."
    if share.value > human.value:
        return told + "it is not shown to copy more."
    return told + "it copies no more."


def _advice(evidence: Evidence, written: float | None) -> list[str]:
    return [
        *_fewer_steps(evidence, written),
        *_deduplicate(evidence),
        *_more_text(evidence),
        *_warmer(evidence),
    ]


def _fewer_steps(evidence: Evidence, written: float | None) -> list[str]:
    earlier = sorted(step for step in evidence.by_step if step < evidence.step)
    if not earlier:
        return [
            f"Train for fewer than {evidence.step:,} steps; samples.at_steps keeps checkpoints on "
            "the way, which show where copying begins."
        ]
    within = [step for step in earlier if not _above(written, evidence.by_step[step])]
    step = within[-1] if within else earlier[0]
    copied = _share(evidence.by_step[step].share)
    if within:
        return [
            f"Train for fewer steps: at step {step:,} it copied {copied}, which is not above the "
            f"bound; training.steps: {step} ends there."
        ]
    return [
        f"Train for fewer steps than {step:,}: every checkpoint that was kept copies too much, and "
        f"that one {copied} already."
    ]


def _deduplicate(evidence: Evidence) -> list[str]:
    if not evidence.recurring:
        return []
    advice = (
        f"Deduplicate: {evidence.recurring:,} of the {evidence.passages:,} copied passages stand "
        f"at several places of the training text, one at {evidence.most_places:,}"
    )
    if evidence.duplicates is None:
        return [f"{advice}."]
    left_out, threshold = evidence.duplicates
    return [
        f"{advice}; the corpus left out {left_out:,} duplicates at duplicates.threshold "
        f"{threshold:g}, and a lower one leaves out more."
    ]


def _more_text(evidence: Evidence) -> list[str]:
    if evidence.epochs is None or evidence.epochs <= 1:
        return []
    return [
        f"Train on more text, or a smaller model: this one read its text {evidence.epochs:.1f} "
        "times over."
    ]


def _warmer(evidence: Evidence) -> list[str]:
    settings = sorted(evidence.by_setting.items(), key=lambda setting: setting[1][0])
    if not settings:
        return []
    (cool, (low, most)), (warm, (high, least)) = settings[0], settings[-1]
    if low < high and least.value <= most.value / 2:  # else it mends little
        return [
            f"Draw at a higher temperature: at {high:g} ({warm}) it copied {_share(least)}, at "
            f"{low:g} ({cool}) {_share(most)}."
        ]
    return []


def _share(share: Interval) -> str:
    told = f"{share.value:.1%}"
    if share.low is None or share.high is None:
        return told
    return f"{told} ({share.low:.1%} to {share.high:.1%})"
