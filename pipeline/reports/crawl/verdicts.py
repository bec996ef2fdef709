"""Was each host treated as it asked? One line a promise, judged on the record alone.

What was not kept is said as plainly as what was, and what cannot be proven counts as not kept.
"""

import math
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pipeline.reports.crawl.record import CLOCK, HostRecord, Record, RestTally
from pipeline.reports.text import counted, number

#: What `crawlers.policy` writes where a host has no limit a minute: this machine's own alone.
NO_LIMIT = 100_000


@dataclass(frozen=True)
class Verdict:
    """One promise to one host, and whether it was kept; None where nothing was asked."""

    host: str
    kept: bool | None
    text: str


def judge(
    record: Record, policies: Mapping[str, Mapping[str, Any]], *, ended: bool = True
) -> list[Verdict]:
    """The verdicts on every host that requests were sent to; `policies` by host.

    A crawl that has not `ended` in order left no policies: its pace is told and not judged.
    """
    verdicts = []
    for host in record.hosts:
        policy = policies.get(host.host)
        verdicts += [_robots(host)]
        if policy is None and not ended:
            verdicts.append(_unjudged(host))
        elif policy is None:
            unproven = "no policy is on record, so its pace is NOT proven"
            verdicts.append(Verdict(host.host, False, unproven))
        else:
            verdicts += [
                _gap(host, float(policy["delay"])),
                _minute(host, limit(policy)),
                _at_once(host, int(policy["concurrency"])),
            ]
        verdicts += [_rest(host.host, kind, all_) for kind, all_ in host.rests_by_kind.items()]
        verdicts += _challenge(host)
    return verdicts


def limit(policy: Mapping[str, Any]) -> int | None:
    """The requests that a host allows in a minute; None where it has no limit."""
    allowed = int(policy["requests_per_minute"])
    return None if allowed >= NO_LIMIT else allowed


def _robots(host: HostRecord) -> Verdict:
    if not host.robots_first():
        return Verdict(host.host, False, "robots.txt was NOT read before anything else")
    if sent := host.sent_after_robots_forbade():
        what = f"robots.txt could not be had, and {counted(sent, 'request')} were sent: NOT kept"
        return Verdict(host.host, False, what)
    if not host.robots_had():
        what = "robots.txt could not be had, so nothing more was asked for"
        return Verdict(host.host, True, what)
    return Verdict(host.host, True, "robots.txt was read before anything else")


def _unjudged(host: HostRecord) -> Verdict:
    """The pace, beside nothing that it could be measured by."""
    gaps = host.gaps()
    shortest = f"shortest gap {seconds(float(gaps.min()))}, " if len(gaps) else ""
    pace = f"{shortest}busiest minute {host.busiest_minute():,}"
    return Verdict(host.host, None, f"{pace}; the limits in force are not on record")


def _challenge(host: HostRecord) -> list[Verdict]:
    sent = host.sent_after_challenge()
    if sent is None:
        return []
    met = f"{int(host.challenged.sum()):,} × challenge page, a no to robots:"
    if sent:
        return [
            Verdict(host.host, False, f"{met} {counted(sent, 'request')} sent after it: NOT kept")
        ]
    return [Verdict(host.host, True, f"{met} nothing was sent after it")]


def _gap(host: HostRecord, asked: float) -> Verdict:
    gaps = host.gaps()
    if not len(gaps):
        return Verdict(host.host, None, f"no two requests to compare; {seconds(asked)} apart asked")
    shortest = f"shortest gap {seconds(float(gaps.min()))}"
    if not asked:
        return Verdict(host.host, None, f"{shortest}; no delay asked")
    short = int((gaps < asked - CLOCK).sum())
    if short:
        what = f"{shortest}, asked: {seconds(asked)}: NOT kept ({counted(short, 'time')})"
        return Verdict(host.host, False, what)
    return Verdict(host.host, True, f"{shortest}, asked: {seconds(asked)}: kept")


def _minute(host: HostRecord, allowed: int | None) -> Verdict:
    busiest = host.busiest_minute()
    if allowed is None:
        return Verdict(host.host, None, f"busiest minute {busiest:,}; no limit (this machine)")
    kept = busiest <= allowed
    what = f"busiest minute {busiest:,} of {allowed:,} allowed: {'kept' if kept else 'NOT kept'}"
    return Verdict(host.host, kept, what)


def _at_once(host: HostRecord, allowed: int) -> Verdict:
    most = host.most_at_once()
    kept = most <= allowed
    what = f"at most {counted(most, 'request')} at a time, asked: {allowed:,}: "
    return Verdict(host.host, kept, what + ("kept" if kept else "NOT kept"))


def _rest(host: str, kind: str, rests: RestTally) -> Verdict:
    """E.g. `2 × 429: waited 30 s as asked`."""
    what = f"{rests.count:,} × {kind}:"
    if rests.broken:
        waited, asked = (seconds(value) for value in rests.worst)
        told = f"{what} waited {waited} where {asked} were asked: NOT kept"
        return Verdict(host, False, f"{told} ({counted(rests.broken, 'time')})")
    if math.isnan(rests.shortest_waited):
        return Verdict(host, True, f"{what} nothing was sent after it")
    if rests.unsaid == rests.count:
        least = seconds(rests.shortest_waited)
        return Verdict(host, None, f"{what} no time asked, waited {least} or more")
    if rests.shortest_asked == rests.longest_asked:
        return Verdict(host, True, f"{what} waited {seconds(rests.longest_asked)} as asked")
    least, most = seconds(rests.shortest_asked), seconds(rests.longest_asked)
    return Verdict(host, True, f"{what} waited as long as each asked, {least} to {most}")


def seconds(value: float) -> str:
    """5 s, 5.02 s, 0.004 s, 1,200 s."""
    digits = 0 if value >= 100 or value == round(value) else 2 if value >= 0.1 else 3
    return f"{number(round(value, digits or None), digits)} s"
