"""A takedown in a terminal: what a page has touched, and what was done. No text of the page."""

from collections.abc import Iterator

from crawlers.takedowns import BEGUN, Takedown
from dagster_project.takedown import Plan
from dagster_project.takedown.rebuild import Rebuilt
from dagster_project.takedown.touched import Touched
from pipeline.reports.text import counted, one_line, size

#: Characters of a title and of an address; lines of a kind.
_TITLE, _URL, _MOST = 80, 200, 20


def told_before(plan: Plan) -> str:
    """The page under all its names, and all that it has touched."""
    touched = plan.touched
    lines = [*_pages(plan), ""]
    if plan.earlier is not None and plan.earlier.state == BEGUN:
        lines[-1:] = ["", f"A takedown of it was begun at {plan.earlier.at}: this goes on with it."]
    lines += _rows(
        "stored pages",
        [
            (name, f"{counted(store['rows'], 'revision')}, {size(store['bytes'])}")
            for name, store in touched.stores.items()
        ],
    )
    lines += _rows("documents", [(name, _parts(rows)) for name, rows in touched.documents.items()])
    lines += _rows("corpora", [(name, _splits(splits)) for name, splits in touched.corpora.items()])
    lines += _rows(
        "models",
        [
            (name, "may have been trained on it" if read is None else
             f"trained on {counted(read, 'document')} of it")
            for name, read in touched.models.items()
        ],
    )  # fmt: skip
    lines += _rows(
        "samples",
        [(name, f"{counted(rows, 'story', 'stories')}") for name, rows in touched.samples.items()],
    )
    lines += _rows(
        "memorisation",
        [(name, counted(rows, "passage")) for name, rows in touched.memorisation.items()],
    )
    lines += _rows(
        "fixtures", [(name, one_line(", ".join(of), _URL)) for name, of in touched.fixtures.items()]
    )
    for kind in ("reports", "bundles", "indexes"):
        names = (name for name in getattr(touched, kind) if not name.endswith((".json", ".png")))
        lines += _rows(kind, [(name, "") for name in names])
    if touched.twins:
        lines += ["", "Other pages say the same or nearly, and stay; take them down by themselves:"]
        shown = touched.twins[:_MOST]
        lines += [f"  {_told(twin['title'], twin['url'])}" for twin in shown]
        lines += _more(touched.twins)
    if plan.others:
        lines += ["", "Other pages have shared an address with it, and stay; take them down by "
                  "themselves:"]  # fmt: skip
        others = list(dict.fromkeys((page.title or "", page.url) for page in plan.others))
        lines += [f"  {_told(*other)}" for other in others[:_MOST]]
        lines += _more(others)
    return "\n".join(lines)


def told_done(record: Takedown, rebuilt: Rebuilt) -> str:
    """What was done."""
    touched = Touched(**record.touched)
    stories = sum(touched.samples.values())
    revisions = sum(store["rows"] for store in touched.stores.values())
    rows = [
        ("erased", counted(revisions, "revision") + f" in {counted(len(touched.stores), 'store')}"),
        ("made anew", ", ".join(rebuilt.made) or "nothing"),
        ("models marked", ", ".join(touched.models) or "none"),
        *([("stories cleaned", f"{stories:,}")] if stories else []),
        *([("NOT made anew", ", ".join(rebuilt.failed))] if rebuilt.failed else []),
        ("record", record.takedown_id),
    ]
    wide = max(len(label) for label, _ in rows)
    told = [f"{label:<{wide}}  {value}" for label, value in rows]
    what = "Taken down" if record.state != BEGUN else "NOT yet taken down everywhere"
    return "\n".join(["", f"{what}: {one_line(record.title, _TITLE)}", *told])


def _pages(plan: Plan) -> Iterator[str]:
    seen = dict.fromkeys((page.title or "", page.url) for page in plan.pages)
    for title, url in list(seen)[:_MOST]:
        yield _told(title, url)
    yield from _more(list(seen))


def _told(title: str, url: str) -> str:
    return f"{one_line(title, _TITLE)}  {one_line(url, _URL)}"


def _more(all_: list[object] | list[tuple[str, str]] | list[dict[str, object]]) -> list[str]:
    return [f"  and {len(all_) - _MOST:,} more"] if len(all_) > _MOST else []


def _rows(kind: str, rows: list[tuple[str, str]]) -> list[str]:
    wide = max((len(name) for name, _ in rows), default=0)
    return [
        f"{kind if not number else '':<14}{name:<{wide}}  {told}".rstrip()
        for number, (name, told) in enumerate(rows)
    ]


def _parts(rows: dict[str, int]) -> str:
    return ", ".join(
        counted(count, "document") if name == "documents" else f"{count:,} {name}"
        for name, count in rows.items()
    )


def _splits(splits: dict[str, dict[str, int]]) -> str:
    return ", ".join(
        f"{split}: {counted(part['documents'], 'document')}"
        + (f" of {size(part['bytes'])}" if part["bytes"] else "")
        for split, part in splits.items()
    )
