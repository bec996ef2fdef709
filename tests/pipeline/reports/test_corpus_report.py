"""The page of a corpus: what it counts is so, it shows what was left out, and it runs nothing."""

import io
import json
from pathlib import Path

import pyarrow.parquet as pq
import pytest
from lxml import html
from PIL import Image

from pipeline.corpus import CorpusConfig, ManifestError, read_split
from pipeline.corpus.spec import LicenceRule
from pipeline.corpus.split import SPLITS
from pipeline.licences import LICENCES
from pipeline.reports.canvas import NARROW, WIDE
from pipeline.reports.corpus import lengths_png
from pipeline.reports.corpus.examples import OPENINGS, align
from pipeline.reports.corpus.plots import ranges_svg
from pipeline.reports.corpus.sections import FEW, OPENING, PARTS
from pipeline.statistics import Lengths
from tests.pipeline.reports.corpora import WIKI, Corpus, document, tell

EVIL = "<script>alert(1)</script>\u202eevil<EOS>![x](https://evil.example/x.png)"


def page_of(corpus: Corpus) -> html.HtmlElement:
    return html.fromstring(corpus.write().page.read_bytes())


def cells(section: html.HtmlElement) -> list[list[str]]:
    """The rows of a section's tables, as text."""
    rows = section.iterfind(".//tbody/tr")
    return [[" ".join(cell.text_content().split()) for cell in row] for row in rows]


def altered(text: str, every: int) -> str:
    """The story with a word in so many replaced."""
    words = text.split()
    return " ".join("moonlit" if at % every == every - 1 else w for at, w in enumerate(words))


@pytest.fixture(scope="module")
def lamps(tmp_path_factory: pytest.TempPathFactory) -> Corpus:
    """Forty stories; of two there is another version, and one stands there twice."""
    rows = [document(number) for number in range(40)]
    rows += [document(100 + n, altered(tell(n, 30), 45), title=f"Twin of {n}") for n in (50, 51)]
    rows += [document(n, tell(n, 30), title=f"Elder {n}") for n in (50, 51)]
    rows.append(document(60, rows[3]["text"], title="Same again"))
    return Corpus(tmp_path_factory.mktemp("lamps"), rows).build()


def test_the_figures_are_those_of_the_texts(lamps: Corpus) -> None:
    page = page_of(lamps)
    kept = [found for split in SPLITS for found in read_split(lamps.folder, split)]
    words = sorted(len(found.text.split()) for found in kept)
    assert len(kept) == 42
    assert lamps.said["median_words"] == words[20]
    assert lamps.said["longest_words"] == words[-1]
    assert lamps.said["left_out"] == 3
    assert sum(lamps.said["statistics"]["histogram"]["counts"]) == 42
    row = [value.text for value in page.find_class("value")]
    total = f"{sum(words) / 1000:.1f} k"
    assert [row[0], row[1], *row[3:]] == ["42", total, str(words[20]), "3"]
    assert f"longest {words[-1]}" in page.find_class("figures")[0].text_content()


@pytest.mark.parametrize("spread", [1.0, 1.3, 2.5, 8.0, 400.0, 10.0**6])
@pytest.mark.parametrize("median", [1, 20, 300, 3500])
def test_an_axis_of_lengths_has_two_labels_at_least(median: int, spread: float) -> None:
    low, high = max(1, int(median / spread)), int(median * spread)
    lengths = Lengths(9, low, low, median, high, high, float(median))
    for size in (WIDE, NARROW):
        drawn = ranges_svg({"wiki": lengths, "books": lengths}, "source", size, "Lengths")
        labels = html.fromstring(str(drawn)).xpath(
            "//*[contains(@id, 'xtick')]//*[local-name()='text']"
        )
        assert len({label.text_content() for label in labels}) >= 2


def test_held_out_text_that_is_little_is_remarked_on(tmp_path: Path, lamps: Corpus) -> None:
    remark = "Held out is little"
    few = Corpus(tmp_path, [document(number) for number in range(8)]).build()
    assert min(split["documents"] for split in few.figures["by_split"].values()) < FEW
    told = page_of(few).get_element_by_id("splits").text_content()
    assert remark in told
    assert "validation is 2 documents, " in told
    assert "test is 1 document, " in told
    splits = {**lamps.figures["by_split"]}
    assert min(split["documents"] for split in splits.values()) >= FEW
    assert remark not in page_of(lamps).text_content()


def test_shares_are_shown_by_genre_licence_and_split(lamps: Corpus) -> None:
    page = page_of(lamps)
    made_of = cells(page.get_element_by_id("made-of"))
    by_genre = lamps.figures["by_genre"]
    for genre in ("fable", "mystery", "none"):
        (row,) = (row for row in made_of if row[0] == genre)
        assert row[2] == str(by_genre[genre]["documents"])
        share = by_genre[genre]["bytes"] / lamps.figures["bytes"]
        assert row[1].startswith(f"{100 * share:.0f}")
    (licence,) = cells(page.get_element_by_id("licences"))
    assert "CC-BY-SA-4.0" in licence[0]
    assert licence[2] == "42"
    assert licence[3] == " ".join(LICENCES["CC-BY-SA-4.0"].asks)
    splits = cells(page.get_element_by_id("splits"))
    assert [row[0] for row in splits] == list(SPLITS)
    tokens = lamps.said["statistics"]["tokens"]
    assert [row[5] for row in splits] == [f"{tokens[name]['drawn_tokens']:,}" for name in SPLITS]
    assert "Attribution" in page.get_element_by_id("licences").findtext(".//pre")


def test_what_was_left_out_stands_beside_what_stayed(lamps: Corpus) -> None:
    section = page_of(lamps).get_element_by_id("left-out")
    reasons = {row[0]: row for row in cells(section)}
    assert reasons["same text"][2] == "1"
    dropped = pq.read_table(lamps.folder / "dropped.parquet").to_pylist()
    alike = [row for row in dropped if row["reason"] != "same text"]
    assert len(alike) == 2
    (reason,) = {row["reason"] for row in alike}
    assert reasons[reason][2] == "2"
    pairs = section.find_class("pair")
    assert len(pairs) == 2
    for pair in pairs:
        gone, stays = pair.findall("article")
        told = gone.find("h4").text_content(), stays.find("h4").text_content()
        assert told[0].startswith("left out")
        assert told[1].startswith("kept")
        marked = [mark.text for side in (gone, stays) for mark in side.iter("mark")]
        assert any("moonlit" in words for words in marked)
        assert gone.find(".//a").get("href").startswith(WIKI)
        assert "CC-BY-SA-4.0" in gone.text_content()
    figures = [f"{row['figure']:.2f}" for row in alike]
    shown = [part.findtext("b") for part in section.find_class("setting")]
    assert sorted(shown) == sorted(figures)
    found = lamps.said["statistics"]["similarities"]
    assert (found["exact"], sum(found["near"]["counts"])) == (1, 2)


def test_openings_are_drawn_by_hash_with_page_and_licence(lamps: Corpus) -> None:
    articles = page_of(lamps).get_element_by_id("openings").findall(".//article")
    texts = {found.title: found.text for split in SPLITS
             for found in read_split(lamps.folder, split)}  # fmt: skip
    titles = [article.findtext(".//a") for article in articles]
    assert len(titles) == OPENINGS
    assert titles != sorted(titles, key=list(texts).index)[:OPENINGS]
    for title, article in zip(titles, articles, strict=True):
        told = article.find_class("story")[0].text.removesuffix("…")
        assert told
        assert texts[title].startswith(told)
        assert article.find(".//a").get("href").startswith(WIKI)
        assert "CC-BY-SA-4.0" in article.find_class("meta")[0].text_content()
    assert (
        page_of(lamps).get_element_by_id("openings").text_content()
        == page_of(lamps).get_element_by_id("openings").text_content()
    )


def test_the_page_is_a_function_of_the_corpus(lamps: Corpus) -> None:
    first = lamps.write().page.read_bytes()
    assert lamps.write().page.read_bytes() == first
    json.dumps(lamps.said)  # JSON values only
    picture = Image.open(io.BytesIO(lengths_png(json.loads(json.dumps(lamps.said["statistics"])))))
    assert picture.size == (640, 320)


def test_non_commercial_is_said_at_the_top(tmp_path: Path) -> None:
    rows = [document(n, licence="CC-BY-NC-SA-2.5" if n < 10 else "CC0-1.0") for n in range(20)]
    page = page_of(Corpus(tmp_path, rows).build())
    assert "may not be used commercially" in page.find_class("warning")[0].text_content()
    asked = {row[0]: row[3] for row in cells(page.get_element_by_id("licences"))}
    (restricted,) = (said for name, said in asked.items() if name.endswith("CC-BY-NC-SA-2.5"))
    (free,) = (said for name, said in asked.items() if name.endswith("CC0-1.0"))
    assert "No commercial use." in restricted
    assert free == "Asks for nothing."


def test_without_them_the_page_says_so_and_what_it_cost(tmp_path: Path) -> None:
    rows = [document(n, licence="CC-BY-NC-SA-2.5" if n < 10 else "CC0-1.0") for n in range(20)]
    config = CorpusConfig(licences=LicenceRule(exclude_non_commercial=True))
    page = page_of(Corpus(tmp_path, rows, config).build())
    assert not page.find_class("warning")
    assert (
        "None of its licences excludes commercial use" in page.find_class("gloss")[0].text_content()
    )
    (reason,) = cells(page.get_element_by_id("left-out"))
    assert "licence" in reason[0]
    assert reason[2] == "10"


def test_what_pages_say_stays_text_and_is_bounded(tmp_path: Path) -> None:
    rows = [document(n, genre=f"genre {n}") for n in range(30)]
    for at in range(30):
        rows[at] |= {"title": EVIL + "y" * 5000, "section": EVIL, "genre": f"{EVIL} {at}",
                     "url": "javascript:alert(1)", "attribution_url": None}  # fmt: skip
    rows[4] = rows[4] | document(4, EVIL + " " + tell(4, 9000), title=EVIL)
    corpus = Corpus(tmp_path, rows, title=EVIL).build()
    page = page_of(corpus)
    assert page.findall(".//script") == []
    assert page.findall(".//img") == []
    assert not [a for a in page.iterfind(".//a") if not a.get("href").startswith(("http", "#"))]
    assert "\u202e" not in page.text_content()
    assert "<EOS>" in page.text_content()
    assert max(len(story.text_content()) for story in page.find_class("story")) <= OPENING + 1
    assert len(cells(page.get_element_by_id("made-of"))) == 1 + PARTS + 1
    assert "18 smaller ones together" in page.text_content()
    assert corpus.page.stat().st_size < 300_000


def test_a_corpus_whose_text_was_changed_is_refused(tmp_path: Path) -> None:
    corpus = Corpus(tmp_path, [document(n) for n in range(12)]).build()
    with (corpus.folder / "train.txt").open("ab") as file:
        file.write(b"more")
    with pytest.raises(ManifestError):
        corpus.write()
    assert not corpus.page.exists()


def test_passages_begin_before_the_first_difference() -> None:
    before, after = " ".join(f"w{n}" for n in range(50)), "and so they went home"
    one, other = align(f"{before} Red {after}", f"{before} blue {after}")
    assert [run for run, same in one if not same] == ["Red"]
    assert [run for run, same in other if not same] == ["blue"]
    assert one[0][0].startswith("… w35 ")
    assert one[-1] == (after, True)


def test_what_was_borrowed_begins_with_what_both_have() -> None:
    shared = "the seventh lamp was only borrowed and nobody had told the heron"
    one, other = align(
        f"{tell(1, 9)} {shared} {tell(2, 2)}", f"{shared}. {tell(3, 2)}", borrowed=True
    )
    assert one[0] == (f"… {shared} The", True)
    assert other[0][1]
    assert other[0][0].startswith(shared)


def test_texts_without_anything_in_common_both_begin() -> None:
    one, other = align("red red red", "blue blue")
    assert (one, other) == ([("red red red", False)], [("blue blue", False)])
