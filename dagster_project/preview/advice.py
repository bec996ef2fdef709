"""What a data engineer would want to be told about a preview: why it is empty, what looks wrong.

Each line says what was seen and what to do about it. They are signs, not verdicts: three pages are
no corpus.
"""

import re
from collections import Counter, defaultdict
from collections.abc import Iterator

from crawlers.franchise import FranchiseSpec
from crawlers.sources import source_name
from dagster_project.preview import Look, Preview
from pipeline.extract.mediawiki import NO_WANTED_SECTION, headings
from pipeline.extract.selected import NO_MATCH, containers
from pipeline.extract.wikitext import wikitext_headings
from pipeline.licences import LICENCES
from pipeline.reports.text import counted, one_line

#: Gopher asks 50 words of a web page (arXiv:2112.11446, table A1); the cleaning here only 25.
_SHORT = 50
#: A paragraph of fewer words may well stand in two stories.
_PARAGRAPH = 6
#: What is left where markup was not understood.
_MARKUP = re.compile(r"\{\{|\}\}|\[\[|\]\]|\[edit\]|\[\d+\]|&[a-z]+;|</?[a-z]+[ >]|https?://")


def advice(preview: Preview, spec: FranchiseSpec) -> list[str]:
    """All there is to say, what matters most first."""
    return [
        *_empty(preview, spec),
        *_headings(preview),
        *_containers(preview),
        *_repeated(preview),
        *_short(preview),
        *_markup(preview),
        *_rights(preview),
    ]


def _empty(preview: Preview, spec: FranchiseSpec) -> Iterator[str]:
    if preview.looks and not preview.figures["documents"]:
        yield "not one document: nothing of these pages would reach a corpus"
    looked_at = {look.page["source"] for look in preview.looks}
    unseen = [name for name in map(source_name, spec.sources) if name not in looked_at]
    if unseen:
        yield f"there is no page of {counted(len(unseen), 'source')}: {', '.join(unseen)}"


def _headings(preview: Preview) -> Iterator[str]:
    """The headings of pages that have none of those wanted: a hint for `sections:`."""
    there: dict[str, Counter[str]] = defaultdict(Counter)
    pages: Counter[str] = Counter()
    for look in preview.looks:
        if any(piece["reason"] == NO_WANTED_SECTION for piece in look.dropped):
            pages[look.page["source"]] += 1
            is_wikitext = "x-wiki" in look.page["content_type"]
            written = (wikitext_headings if is_wikitext else headings)(look.page["body"])
            there[look.page["source"]].update(set(written))
    for source, count in pages.items():
        if named := there[source].most_common(20):
            listed = ", ".join(f"{one_line(text, 40)} ({times})" for text, times in named)
            yield (
                f"{counted(count, 'page')} of {source!r} without a wanted section; the headings "
                f"there are {listed}; name those that tell the story under `sections:`"
            )
        else:
            yield f"{counted(count, 'page')} of {source!r} without a wanted section or any heading"


def _containers(preview: Preview) -> Iterator[str]:
    """Where pages that `story` matches nothing of have their text: a hint for `story:`."""
    words: dict[str, Counter[str]] = defaultdict(Counter)
    for look in preview.looks:
        if any(piece["reason"] == NO_MATCH for piece in look.dropped):
            words[look.page["source"]] += containers(look.page["body"], look.page["content_type"])
    for source, found in words.items():
        most = found.most_common(5)
        listed = ", ".join(f"{name} ({counted(count, 'word')})" for name, count in most)
        where = f"their paragraphs stand in {listed}" if listed else "they have no paragraphs"
        yield f"`story:` of {source!r} matches nothing of its pages; {where}"


def _repeated(preview: Preview) -> Iterator[str]:
    """Text that stands in several pages is the site's, not the story's."""
    pages: dict[str, set[str]] = defaultdict(set)
    for look, text in _texts(preview):
        for paragraph in re.split(r"\n\s*\n", text):
            if len(paragraph.split()) >= _PARAGRAPH:
                pages[" ".join(paragraph.split())].add(look.page["url"])
    repeated = {text: len(urls) for text, urls in pages.items() if len(urls) > 1}
    if repeated:
        example = max(repeated, key=lambda text: repeated[text])
        yield (
            f"{counted(len(repeated), 'paragraph')} in more than one page, perhaps the site's own "
            f"words; in {repeated[example]} pages: {one_line(example, 80)}"
        )


def _short(preview: Preview) -> Iterator[str]:
    short = sorted(
        (document["words"], document["title"])
        for look in preview.looks
        for document in look.documents
        if document["words"] < _SHORT
    )
    if short:
        words, title = short[0]
        yield (
            f"{counted(len(short), 'document')} of fewer than {_SHORT} words, the shortest "
            f"{words}: {one_line(title, 60)}"
        )


def _markup(preview: Preview) -> Iterator[str]:
    left: Counter[str] = Counter()
    for _, text in _texts(preview):
        left.update(set(_MARKUP.findall(text)))
    if left:
        signs = ", ".join(f"{sign.strip()} in {count}" for sign, count in left.most_common(5))
        yield f"what looks like markup is left in documents: {signs}; see them with --full"


def _rights(preview: Preview) -> Iterator[str]:
    licences = Counter(look.page["licence"] for look in preview.looks)
    for spdx, count in licences.items():
        known = LICENCES.get(spdx)
        if known is None:
            yield f"the licence {one_line(spdx, 40)!r} is not in pipeline/licences.py: add it there"
        elif known.non_commercial:
            yield f"{counted(count, 'page')} under {spdx}: the corpus may not be used commercially"
    signals = Counter(look.page["signals"] for look in preview.looks if look.page["signals"])
    for signal, count in signals.items():
        said = one_line(signal, 80)
        yield f"what the site says of use by machines, with {counted(count, 'page')}: {said}"


def _texts(preview: Preview) -> Iterator[tuple[Look, str]]:
    for look in preview.looks:
        for document in look.documents:
            yield look, document["text"]
