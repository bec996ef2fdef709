"""What the record of a crawl's requests says of each host: pace, rests, refusals.

Times are counted on the record's own gaps, which come from a clock that only goes forward: one that
is set during a crawl makes no wrong look right, nor right wrong. All figures are computed on
Arrow and NumPy columns, and urls are read only for the rows that are shown, so that a record of
some hundred thousand requests costs some ten megabytes.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from pathlib import Path
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc
import pyarrow.dataset as ds
import pyarrow.parquet as pq

from pipeline.schema import REQUESTS

#: Seconds by which a measured time may fall short: a timer's and the record's rounding.
CLOCK = 0.02
MINUTE = 60.0
#: Statuses by which a server asks for rest, with or without saying how long.
REST = (429, 503)
#: How the record tells of an answer that asked for proof of being human.
_CHALLENGE = "a challenge page"
#: Rows shown of each kind; the record has the rest.
SHOWN = 40

Array = np.ndarray[Any, np.dtype[Any]]


@dataclass(frozen=True)
class Rest:
    """One answer that asked to be left alone, and what followed. Times in seconds."""

    time: datetime  # of the answer, UTC
    url: str
    status: int | None
    asked: float | None  # None: it did not say how long
    waited: float | None  # until the next request to the host; None: none followed
    done: str

    @property
    def what(self) -> str:
        """429, 503, or maxlag, which comes with status 200."""
        return _kind(self.status or 0)

    @property
    def kept(self) -> bool:
        """Whether the host was left alone for as long as it asked."""
        return self.asked is None or self.waited is None or self.waited >= self.asked - CLOCK


@dataclass(frozen=True)
class RestTally:
    """All answers of a kind by which one host asked for rest. Times in seconds, nan for none."""

    count: int
    unsaid: int  # did not say how long
    shortest_asked: float
    longest_asked: float
    shortest_waited: float
    broken: int  # the next request came before the time that was asked
    worst: tuple[float, float]  # of the broken ones, (waited, asked) of the one furthest off


@dataclass(frozen=True)
class HostRecord:
    """The requests sent to one host, in the order of time. Arrays have one value a request."""

    host: str
    offset: float  # seconds from the crawl's first request to this host's
    at: Array  # seconds since the host's first request
    took: Array  # seconds until the answer; nan where none came
    robots: Array  # whether it asked for robots.txt
    status: Array  # 0 where no answer came
    bytes: int
    rests: list[Rest]  # the first SHOWN, those not kept before all others
    rests_by_kind: Mapping[str, RestTally]  # 429, 503, maxlag
    challenged: Array  # whether a challenge page came

    def gaps(self) -> Array:
        """Seconds before each request but the first.

        Those that wait for robots.txt are left out where it came: it says the delay.
        """
        had = self.robots & self._allowing()
        awaited = self.robots & (np.cumsum(had) - had == 0) & had.any()
        return np.diff(self.at)[~awaited[1:]]

    def busiest_minute(self) -> int:
        """The most requests within any 60 seconds."""
        return int(self.in_the_minute().max())

    def in_the_minute(self) -> Array:
        """For each request, how many were sent in the 60 s that end with it."""
        before = np.searchsorted(self.at, self.at - MINUTE + CLOCK, "right")
        return np.arange(1, len(self.at) + 1) - before

    def most_at_once(self) -> int:
        """The most requests under way at a time; one without an answer counts as over."""
        ends = np.sort(self.at + np.nan_to_num(self.took))
        over = np.searchsorted(ends, self.at + CLOCK, "right")
        return int((np.arange(1, len(self.at) + 1) - over).clip(min=1).max())

    def robots_first(self) -> bool:
        """Whether robots.txt was asked for before anything else."""
        return bool(self.robots[0])

    def robots_had(self) -> bool:
        """Whether the last request for robots.txt brought it, or that there is none (RFC 9309)."""
        asked = np.flatnonzero(self.robots)
        return bool(len(asked)) and bool(self._allowing()[asked[-1]])

    def sent_after_robots_forbade(self) -> int:
        """Requests sent although robots.txt could not be had: RFC 9309 takes that for a no."""
        asked = np.flatnonzero(self.robots)
        if not len(asked) or self.robots_had():
            return 0
        return int((~self.robots[asked[-1] :]).sum())

    def sent_after_challenge(self) -> int | None:
        """Requests sent after a challenge page had come; None where none came.

        One that was under way by then was sent before.
        """
        met = np.flatnonzero(self.challenged)
        if not len(met):
            return None
        answered = float((self.at + np.nan_to_num(self.took))[met].min())
        return int((self.at > answered + CLOCK).sum())

    def _allowing(self) -> Array:
        """Whether the answer, were it to robots.txt, lets anything be asked for."""
        found = (self.status >= 200) & (self.status < 300)
        missing = (self.status >= 400) & (self.status < 500) & (self.status != 429)
        return np.asarray((found | missing) & ~self.challenged)


@dataclass(frozen=True)
class Record:
    """A crawl's record."""

    started: datetime | None  # time of the first row; None where nothing was asked
    ended: datetime | None  # of the last one
    seconds: float  # from the first row to the last
    hosts: list[HostRecord]  # those that requests were sent to, the busiest first
    sent: int
    refused: int
    by_kind: Mapping[str, int]  # sent requests: robots, listing, page
    by_status: Mapping[str, int]  # sent requests; "no answer" among them
    rules: list[tuple[str, str, int]]  # (host, rule that let it pass, requests)
    refusals: list[tuple[str, str, int, str]]  # (host, rule against it, requests, a url)
    rules_left_out: int
    refusals_left_out: int


def read_record(path: Path) -> Record:
    """Read a record of schema REQUESTS. Raises FileNotFoundError, ValueError naming the file."""
    if not path.is_file():
        raise FileNotFoundError(f"{path} is missing; a crawl writes it, so crawl first")
    data = ds.dataset(path)
    if missing := [name for name in REQUESTS.names if name not in data.schema.names]:
        raise ValueError(f"{path} lacks {', '.join(missing)}; crawl again")
    table = pq.read_table(
        path,
        columns=["time", "host", "kind", "sent", "rule", "gap", "status", "bytes", "seconds",
                 "asked", "done"],
        read_dictionary=["host", "kind", "rule", "done"],
    )  # fmt: skip
    table = table.unify_dictionaries()
    table = table.append_column("row", pa.array(np.arange(table.num_rows)))
    sent = table.filter(table["sent"])
    refused = table.filter(pc.invert(table["sent"]))
    first, last = (f(table["time"]).as_py() for f in (pc.min, pc.max))
    rules = _counted(sent, ["host", "rule"])
    refusals = _counted(refused, ["host", "rule"])
    examples = _examples(data, {row[-1] for row in refusals[:SHOWN]}, path)
    return Record(
        started=first,
        ended=last,
        seconds=(last - first).total_seconds() if first else 0.0,
        hosts=_hosts(sent, first, path),
        sent=sent.num_rows,
        refused=refused.num_rows,
        by_kind={kind: count for kind, count, _ in _counted(sent, ["kind"])},
        by_status={
            str(status or "no answer"): count for status, count, _ in _counted(sent, ["status"])
        },
        rules=[row[:3] for row in rules[:SHOWN]],
        refusals=[(*row[:3], examples[row[3]]) for row in refusals[:SHOWN]],
        rules_left_out=max(0, len(rules) - SHOWN),
        refusals_left_out=max(0, len(refusals) - SHOWN),
    )


def _counted(table: pa.Table, columns: list[str]) -> list[Any]:
    """(*values, rows, first row's number) of each combination, the most frequent first."""
    groups = table.group_by(columns).aggregate([("row", "count"), ("row", "min")])
    groups = groups.sort_by([("row_count", "descending"), ("row_min", "ascending")])
    return list(
        zip(*(groups[name].to_pylist() for name in (*columns, "row_count", "row_min")), strict=True)
    )


def _hosts(sent: pa.Table, first: datetime | None, path: Path) -> list[HostRecord]:
    records = []
    for host, _, _ in _counted(sent, ["host"]):
        rows = sent.filter(pc.equal(sent["host"], host))
        records.append(_host(host, rows, first, path))
    return records


def _host(host: str, rows: pa.Table, first: datetime | None, path: Path) -> HostRecord:
    time = rows["time"].cast(pa.int64()).to_numpy() / 1000
    gap = rows["gap"].to_numpy()
    told = np.diff(time, prepend=time[0])
    at = np.cumsum(np.concatenate([[0.0], np.where(np.isnan(gap), told, gap)[1:]]))
    took = rows["seconds"].to_numpy()
    status = pc.fill_null(rows["status"], 0).to_numpy()
    asked = rows["asked"].to_numpy()
    resting = np.flatnonzero(~np.isnan(asked) | np.isin(status, REST))
    asked = asked[resting]
    answered = (at + np.nan_to_num(took))[resting]
    following = np.maximum(np.searchsorted(at, answered - CLOCK), resting + 1)
    waited = (np.append(at, np.nan)[np.minimum(following, len(at))] - answered).clip(min=0.0)
    broken = waited < asked - CLOCK  # false where either is not a number
    shown = np.argsort(~broken, kind="stable")[:SHOWN]
    said = _said(path, rows["row"].to_numpy()[resting[shown]])
    assert first is not None
    return HostRecord(
        host=host,
        offset=time[0] - first.timestamp(),
        at=at,
        took=took,
        robots=pc.equal(rows["kind"], "robots").to_numpy(),
        status=status,
        bytes=pc.sum(rows["bytes"]).as_py() or 0,
        rests=[
            Rest(
                time=row["time"] + timedelta(seconds=row["seconds"] or 0.0),
                url=row["url"],
                status=row["status"],
                asked=row["asked"],
                waited=None if np.isnan(waited[index]) else float(waited[index]),
                done=row["done"] or "",
            )
            for index, row in zip(shown, said, strict=True)
        ],
        rests_by_kind={
            _kind(value): _tally(asked[of], waited[of], broken[of])
            for value in np.unique(status[resting])
            for of in [status[resting] == value]
        },
        challenged=pc.fill_null(
            pc.starts_with(rows["done"].cast(pa.string()), _CHALLENGE), False
        ).to_numpy(),
    )


def _kind(status: int) -> str:
    return "maxlag" if status == 200 else str(status or "no answer")


def _tally(asked: Array, waited: Array, broken: Array) -> RestTally:
    short = np.where(broken, asked - waited, -np.inf)
    worst = int(short.argmax())
    return RestTally(
        count=len(asked),
        unsaid=int(np.isnan(asked).sum()),
        shortest_asked=float(np.fmin.reduce(asked)),
        longest_asked=float(np.fmax.reduce(asked)),
        shortest_waited=float(np.fmin.reduce(waited)),
        broken=int(broken.sum()),
        worst=(float(waited[worst]), float(asked[worst])),
    )


def _said(path: Path, rows: Array) -> list[dict[str, Any]]:
    """All columns of a few rows, by their numbers in the file."""
    wanted: list[dict[str, Any]] = []
    if not len(rows):
        return wanted
    found = ds.dataset(path).take(pa.array(np.sort(rows)))
    by_row = dict(zip(np.sort(rows), found.to_pylist(), strict=True))
    return [by_row[row] for row in rows]


def _examples(data: ds.Dataset, rows: set[int], path: Path) -> dict[int, str]:
    ordered = np.array(sorted(rows), dtype=np.int64)
    return {int(n): row["url"] for n, row in zip(ordered, _said(path, ordered), strict=True)}
