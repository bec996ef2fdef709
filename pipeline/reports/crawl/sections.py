"""The parts of a crawl's page, in the order in which a site's owner would ask.

Was my site treated as it asked? How fast was it? What happened when it asked for rest? What was not
asked for, and why? Under which rule was it crawled at all, and what came of it?
"""

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import numpy as np
from markupsafe import Markup

from pipeline.reports import canvas
from pipeline.reports.crawl import plots
from pipeline.reports.crawl.record import SHOWN, HostRecord, Record
from pipeline.reports.crawl.verdicts import Verdict, limit, seconds
from pipeline.reports.sections.section import Section
from pipeline.reports.text import counted, number, one_line, size

#: Characters of a url, and of what a host or robots.txt said, that are shown.
URL, SAID = 160, 400
#: What a crawl did with the pages, in the words of `crawlers.outcome`.
_PAGES = {
    "listed": "listed",
    "fetched": "fetched",
    "unchanged": "unchanged, left alone",
    "moved": "moved",
    "stale": "older than listed",
    "gone": "gone",
}


@dataclass(frozen=True)
class Crawl:
    """What a crawl's page is made from."""

    record: Record
    crawl: Mapping[str, Any]  # the outcome, as `crawlers.outcome.CrawlOutcome` has it
    verdicts: list[Verdict]

    @property
    def policies(self) -> Mapping[str, Mapping[str, Any]]:
        """By host, as in force during the crawl."""
        return self.crawl["policies"]  # type: ignore[no-any-return]  # JSON

    @property
    def ended(self) -> bool:
        """In order; a crawl that was killed has left its record and its pages, and no outcome."""
        return self.crawl["finish_reason"] is not None


def headline(made: Crawl) -> Section:
    """The verdicts and the key figures."""
    record, crawl = made.record, made.crawl
    broken = [verdict for verdict in made.verdicts if verdict.kept is False]
    hosts = counted(len(record.hosts), "host")
    only_robots = all(host.robots.all() and not host.robots_had() for host in record.hosts)
    if broken:
        sentence = f"{counted(len(broken), 'promise')} to a site NOT kept or not proven; see below."
    elif not made.ended and record.sent:
        sentence = "This crawl did not end in order. Its record shows no promise broken."
    elif not made.ended:
        sentence = "This crawl did not end in order, and no request is on record."
    elif not record.sent:
        sentence = "Nothing was asked of any site."
    elif only_robots:
        sentence = f"No robots.txt could be had of {hosts}, so nothing else was asked for."
    else:
        requests = counted(record.sent, "request")
        sentence = f"Everything that {hosts} asked for was kept, in {requests}."
    gaps = [float(host.gaps().min()) for host in record.hosts if len(host.gaps())]
    busiest = max((host.busiest_minute() for host in record.hosts), default=0)
    rests = sum_rests(record)
    slower = {"shortest_gap": min(gaps)} if gaps else {}
    content = {
        "verdict": sentence,
        "broken": bool(broken),
        "run": list(_run(made)),
        "verdicts": [
            (host.host, [v for v in made.verdicts if v.host == host.host])
            for host in record.hosts[:SHOWN]
        ],
        "row": [
            ("", "requests sent", number(record.sent), _of(record.by_kind)),
            ("refused", "refused", number(record.refused), "never sent"),
            ("minute", "busiest minute", number(busiest), "requests to one host"),
            ("gap", "shortest gap", seconds(min(gaps)) if gaps else "–", ""),
            ("rest", "asked for rest", number(sum(rests.values())), _of(rests)),
            ("", "received", size(sum(host.bytes for host in record.hosts)), ""),
        ],
    }
    figures = {
        "kept": not broken,
        "verdict": sentence,
        "verdicts": [f"{v.host}: {v.text}" for v in made.verdicts],
        "broken": [f"{v.host}: {v.text}" for v in broken],
        "sent": record.sent,
        "refused": record.refused,
        "busiest_minute": busiest,
        **slower,
        "answers_429": rests.get("429", 0),
        "answers_503": rests.get("503", 0),
        "maxlag": rests.get("maxlag", 0),
    }
    title = f"{crawl['franchise']}: {crawl['spider']}"
    return Section("verdict", title, "crawl/headline.html", content, figures)


def sections(made: Crawl) -> list[Section]:
    """All that have something to say."""
    parts = (_pace(made), _rests(made), _robots(made), _policy(made), _pages(made))
    return [part for part in parts if part is not None]


def sum_rests(record: Record) -> dict[str, int]:
    """How often any host asked for rest, by 429, 503, maxlag and other."""
    total: dict[str, int] = {}
    for host in record.hosts:
        for kind, rests in host.rests_by_kind.items():
            total[kind] = total.get(kind, 0) + rests.count
    return total


def _run(made: Crawl) -> Iterator[str]:
    crawl = made.crawl
    yield f"Crawl {crawl['crawl_id']}"
    if not made.ended:
        if made.record.started and made.record.ended:
            first, last = (
                f"{at:%Y-%m-%d %H:%M:%S}" for at in (made.record.started, made.record.ended)
            )
            yield f"on record from {first} to {last} UTC"
        yield "it did not end in order: killed, or its machine stopped"
        return
    yield f"{_clock(crawl['started_at'])} to {_clock(crawl['finished_at'])}"
    if crawl["complete"]:
        yield "complete"
    else:
        yield f"not complete ({one_line(crawl['finish_reason'], 80)})"


def _pace(made: Crawl) -> Section | None:
    hosts = made.record.hosts
    if not hosts:
        return None
    label = "Line plot of requests within 60 seconds over the crawl, a panel a host."
    shown = [_row(host, made) for host in hosts[:SHOWN]]
    gaps_label = "Histogram of the seconds between two requests, a panel a host."
    has_gaps = any(len(host.gaps()) for host in hosts)
    draw = (hosts, made.policies)
    nothing = Markup("")
    content = {
        "pace": [plots.pace_svg(*draw, shape, label) for shape in (canvas.WIDE, canvas.NARROW)],
        "gaps": [
            plots.gaps_svg(*draw, shape, gaps_label) if has_gaps else nothing
            for shape in (canvas.WIDE, canvas.NARROW)
        ],
        "has_gaps": has_gaps,
        "limits": any(plots.limit_in_sight(host, made.policies) for host in hosts[: plots.PANELS]),
        "limited": any(limit(policy) is not None for policy in made.policies.values()),
        "delays": any(policy["delay"] for policy in made.policies.values()),
        "undrawn": max(0, len(hosts) - plots.PANELS),
        "rows": shown,
        "left_out": max(0, len(hosts) - SHOWN),
    }
    return Section("pace", "How fast", "crawl/pace.html", content)


def _row(host: HostRecord, made: Crawl) -> dict[str, Any]:
    policy = made.policies.get(host.host)
    gaps = host.gaps()
    return {
        "host": one_line(host.host, URL),
        "sent": len(host.at),
        "busiest": host.busiest_minute(),
        "allowed": _allowed(policy) if policy else None,
        "shortest": seconds(float(gaps.min())) if len(gaps) else None,
        "median": seconds(float(np.median(gaps))) if len(gaps) else None,
        "asked": seconds(float(policy["delay"])) if policy else None,
        "at_once": host.most_at_once(),
        "bytes": size(host.bytes),
    }


def _allowed(policy: Mapping[str, Any]) -> str:
    allowed = limit(policy)
    return "no limit (this machine)" if allowed is None else number(allowed)


def _rests(made: Crawl) -> Section | None:
    rests = sum_rests(made.record)
    if not rests:
        return None
    shown = [(host.host, rest) for host in made.record.hosts for rest in host.rests]
    shown.sort(key=lambda pair: (pair[1].kept, pair[1].time))
    rows = [
        {
            "time": f"{rest.time:%H:%M:%S}",
            "host": one_line(host, URL),
            "url": one_line(rest.url, URL),
            "what": rest.what,
            "asked": "not said" if rest.asked is None else seconds(rest.asked),
            "waited": "nothing followed" if rest.waited is None else seconds(rest.waited),
            "done": one_line(rest.done, SAID),
            "kept": rest.kept,
        }
        for host, rest in shown[:SHOWN]
    ]
    left_out = sum(rests.values()) - len(rows)
    content = {"said": _of(rests), "rows": rows, "left_out": left_out}
    return Section("rests", "When a site asked for rest", "crawl/rests.html", content)


def _robots(made: Crawl) -> Section:
    record = made.record
    content = {
        "robots": [
            (one_line(host, URL), one_line(said, SAID))
            for host, said in list(made.crawl["robots"].items())[:SHOWN]
        ],
        "rules": [(one_line(host, URL), one_line(rule, SAID), n) for host, rule, n in record.rules],
        "rules_left_out": record.rules_left_out,
        "refusals": [
            (one_line(host, URL), one_line(rule, SAID), n, one_line(url, URL))
            for host, rule, n, url in record.refusals
        ],
        "refusals_left_out": record.refusals_left_out,
    }
    return Section("robots", "What was asked for, and what was not", "crawl/robots.html", content)


def _policy(made: Crawl) -> Section | None:
    if not made.policies:
        return None
    content = {
        "policies": [
            (
                one_line(host, URL),
                {
                    "interface": one_line(policy["interface"], SAID),
                    "rule": one_line(policy["rule"], SAID),
                    "rule_url": policy["rule_url"],
                    "checked": one_line(policy["checked"], 80),
                    "delay": seconds(float(policy["delay"])),
                    "at a time": number(policy["concurrency"]),
                    "a minute": _allowed(policy),
                    "licence": one_line(policy["licence"], 80)
                    + (" (non-commercial)" if policy["non_commercial"] else ""),
                    "attribution": one_line(policy["attribution"], SAID),
                },
            )
            for host, policy in list(made.policies.items())[:SHOWN]
        ]
    }
    return Section("policy", "Under which rules", "crawl/policy.html", content)


def _pages(made: Crawl) -> Section:
    crawl = made.crawl
    failures, errors = crawl["failures"], crawl["errors"]
    pages = _PAGES if made.ended else {"fetched": "fetched and kept"}
    content = {
        "ended": made.ended,
        "figures": [(said, crawl[name]) for name, said in pages.items()],
        "errors": [one_line(error, 2 * SAID) for error in errors[:SHOWN]],
        "errors_left_out": max(0, len(errors) - SHOWN),
        "statuses": list(made.record.by_status.items())[:SHOWN],
        "failures": [
            {
                "url": one_line(failure["url"], URL),
                "what": one_line(failure["what"], SAID),
                "remedy": one_line(failure["remedy"], SAID),
            }
            for failure in failures[:SHOWN]
        ],
        "failures_left_out": max(0, crawl.get("failed", len(failures)) - SHOWN),
        "signals": [(one_line(said, SAID), pages) for said, pages in crawl["signals"].items()][
            :SHOWN
        ],
    }
    return Section("pages", "What came of it", "crawl/pages.html", content)


def _of(counts: Mapping[str, int]) -> str:
    """E.g. `3 listing, 120 page, 1 robots`."""
    return ", ".join(f"{count:,} × {name}" for name, count in sorted(counts.items()))


def _clock(moment: str) -> str:
    return f"{datetime.fromisoformat(moment):%Y-%m-%d %H:%M:%S} UTC"
