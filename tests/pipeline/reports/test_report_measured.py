"""How sure the figures are, what was copied from where, how stories stand beside people's."""

from typing import Any

import pytest
from bs4 import BeautifulSoup

from tests.pipeline.reports import measured

EVIL = "<script>alert(1)</script>\x1b[2J\u202e"


def read(made: Any, *sections: str) -> BeautifulSoup:
    return BeautifulSoup(made.show(*sections), "lxml")


def words(found: Any) -> str:
    return " ".join(found.get_text(" ").split())


def test_the_verdict_says_how_sure_it_is(made: Any) -> None:
    made.scores = [*made.both("all", "all", 2.40, 2.31)]
    said = {}
    for width in (0.05, 0.2):
        made.differences = measured.differences(made.scores, width)
        said[width] = read(made).select_one(".verdict").get_text()
    assert said[0.05].endswith(
        "It is better than before with 95\u202f% confidence (−0.09 bits a byte, −0.14 to −0.04)."
    )
    assert said[0.2].startswith("Training changed nothing that can be measured")
    assert said[0.2].endswith(
        "The difference is within chance (−0.09 bits a byte, −0.29 to +0.11)."
    )
    assert "within chance" in words(read(made, "held_out").select_one("tbody .total"))


@pytest.mark.parametrize(
    ("works", "after", "why"),
    [(1, 8.3, "one work alone"), (1, 2.3, "one work alone"), (4, 8.3, "works that all show the")],
)
def test_without_an_interval_nothing_is_called_better_or_worse(
    made: Any, works: int, after: float, why: str
) -> None:
    group = [*made.both("source", "wikipedia", 8.0, after, works=works, bytes=9)]
    made.scores = [*made.both("all", "all", 8.0, after, works=works), *group]
    made.scores += made.both("source", "gutenberg", 8.0, after, works=works, bytes=8)
    made.scores = [row | {"low": None, "high": None} for row in made.scores]
    made.differences = [
        row | {"low": None, "high": None} for row in measured.differences(made.scores)
    ]
    soup = read(made, "held_out")
    said = soup.select_one(".verdict").get_text()
    assert f"Whether that is chance is not known: of {why}" in said
    assert said.startswith(f"demo-gpt2 needs {after:.2f} bits")
    assert not {"better", "worse", "down", "up"} & set(said.split())
    rows = soup.select("#held-out tbody tr:has(td)")
    assert ["chance not known" in words(row) for row in rows] == [True] * 3
    assert not soup.select("#held-out :is(.mark, .better, .worse)")
    assert "Of 2 groups it is not known: there is no interval." in words(soup)
    assert "got worse" not in words(soup)
    assert "not shown to be better than the model before training" in made.card()


def test_the_model_stands_beside_baselines_and_its_training_text(made: Any) -> None:
    held_out = read(made, "held_out").select_one("#held-out")
    label = held_out.select_one("svg[id], svg")["aria-label"]
    assert (
        "before training 8.02; an n-gram model 3.40; xz (a compressor) 3.10; this model 2.31"
        in label
    )
    assert "on text it trained on 2.10" in label
    assert "better than an n-gram model (−1.09 bits a byte, −1.14 to −1.04)." in words(held_out)
    assert "It needs fewer bits than xz (a compressor), whose figure has no" in words(held_out)
    assert "+0.21 bits per byte (+0.10 to +0.32): the model foretells" in words(held_out)


@pytest.mark.parametrize(
    ("bits", "width", "told"),
    [
        (2.61, 0.05, "better than an n-gram model (−0.30 bits a byte, −0.35 to −0.25)."),
        (2.61, 0.40, "it cannot be told from an n-gram model (−0.30 bits a byte, −0.70 to +0.10)."),
        (1.91, 0.05, "worse than an n-gram model (+0.40 bits a byte, +0.35 to +0.45): so far it"),
        (1.91, 0.50, "it cannot be told from an n-gram model (+0.40 bits a byte, −0.10 to +0.90)."),
        (2.61, None, "it differs by −0.30 bits a byte, without an interval: whether that is"),
    ],
)
def test_what_stands_beside_counting_is_said_by_the_interval_of_the_pairs(
    made: Any, bits: float, width: float | None, told: str
) -> None:
    made.scores = [*made.both("all", "all", 8.0, 2.31), made.score("ngram", "all", "all", bits)]
    made.differences = measured.differences(made.scores, width or 0.0)
    if width is None:
        made.differences = [row | {"low": None, "high": None} for row in made.differences]
    said = words(read(made, "held_out").select_one("#held-out"))
    assert told in said
    assert ("better than an n-gram" in said) is told.startswith("better")


def test_a_gap_that_was_not_shown_is_not_told_as_none(made: Any) -> None:
    made.perplexity_figures["gap"] = {"value": 0.02, "low": -0.1, "high": 0.14}
    said = words(read(made, "held_out").select_one("#held-out"))
    assert "cannot be told from these works; one as wide as the upper bound is not" in said
    assert "no sign" not in said  # that none was shown is no proof that there is none


def test_each_story_names_its_longest_match_and_marks_it(made: Any) -> None:
    for story, row in zip(
        read(made, "stories").select(".stories article"),
        sorted(made.samples, key=lambda row: (row["prompt_index"], row["step"])),
        strict=True,
    ):
        told = row["text"].split()
        assert [mark.get_text().split() for mark in story.select("mark.longest")] == [told[:10]]
        assert [mark.get_text().split() for mark in story.select("mark.other")] == [told[12:20]]
        match = story.select_one(".match")
        assert words(match) == "10 words stand in: Tale 3 , Plot , revision 3 , CC-BY-SA-4.0"
        assert [a["href"] for a in match.select("a")] == [
            "https://wikipedia.example/3?oldid=3",
            "https://creativecommons.org/licenses/by-sa/4.0/",
        ]


def test_a_story_is_shown_without_its_prompt_where_that_was_asked(made: Any) -> None:
    made.samples = [
        made.sample(200, n, "Once upon a time", " the fox slept.", include_prompt=n == 1)
        for n in range(2)
    ]
    told = [story.get_text() for story in read(made, "stories").select(".story")]
    assert told == [" the fox slept.", "Once upon a time the fox slept."]


def test_marks_and_matches_of_hostile_text_stay_text(made: Any) -> None:
    made.samples = [made.sample(200, 0, "Once", f" {EVIL} and <b>the & fox</b> &amp; slept {EVIL}")]
    row = measured.passage(
        made.samples[0] | {"sample": 0}, 1, 4,
        title=f"Tale {EVIL}", section=f"Plot {EVIL}", revision=EVIL, licence=EVIL,
        url="data:text/html,x", attribution_url="javascript:alert(1)",
    )  # fmt: skip
    made.passages = [row]
    page = made.show("stories")
    soup = BeautifulSoup(page, "lxml")
    assert not soup.select("script, .story b, .match a")
    assert soup.select_one(".story mark.longest").get_text() == "and <b>the & fox</b>"
    assert "Tale <script>alert(1)</script>[2J" in words(soup.select_one(".match"))
    assert not {"\x1b", "\u202e"} & set(page)


def test_passages_of_other_samples_are_an_error(made: Any) -> None:
    made.samples = [made.sample(200, 0, "Once", "a fox slept.")]
    made.passages = [measured.passage(made.samples[0], 0, 3) | {"end": 900}]
    with pytest.raises(ValueError, match="passages are of other samples; let the memorisation"):
        made.write()
    assert not made.page.exists()


def test_a_model_that_copies_is_told_at_the_top_with_what_to_do(made: Any) -> None:
    assert read(made).select_one("header .warning") is None
    advice = "Train for fewer steps: at step 100 it copied 0.4 %."
    made.copying_figures |= {"passed": False, "verdict": f"It copies. {EVIL}", "advice": [advice]}
    soup = read(made, "memorisation")
    for warned in (soup.select_one("header .warning"), soup.select_one("#memorisation")):
        assert "to be published" in words(warned)
        assert advice in words(warned)
    assert not soup.select("script")


def test_figures_of_stories_stand_beside_those_of_people(made: Any) -> None:
    quality = read(made, "quality").select_one("#quality")
    rows = {
        row.th.get_text(): [words(cell) for cell in row.select("td")]
        for row in quality.select("table")[0].select("tbody tr")
    }
    human, first, last = rows["distinct-2"]
    assert human.startswith("93.0 % 87.4 % to")
    assert first.startswith("52.0 %")
    assert last.startswith("81.0 %")
    assert "itself right 81\u202f% of the time (70\u202f% to 90\u202f%)" in quality.get_text()


def test_genres_met_stand_beside_what_a_model_meets_that_heeds_none(made: Any) -> None:
    quality = read(made, "quality").select_one("#quality")
    met = next(head for head in quality.select("tbody th") if "genre asked" in words(head))
    assert words(met).endswith("reads as the genre asked by chance: 39 %")
    assert "heeds no genre would meet 39 % of those asked for" in words(quality)
    assert "By chance: what a model would meet that heeds no genre" in made.show("quality")
    made.quality_figures |= {"genre_blind": None}  # no story was asked for a genre
    assert "by chance" not in words(read(made, "quality").select_one("#quality"))


def test_how_many_human_passages_the_stories_stand_beside_is_told(made: Any) -> None:
    made.quality_figures |= {"human_texts": 3}
    quality = read(made, "quality").select_one("#quality")
    assert "of like length (3 passages of it)" in words(quality)
    made.quality_figures |= {"human_texts": 0}  # every held-out text is too short
    assert "(0 passages of it)" in words(read(made, "quality").select_one("#quality"))


def test_why_genres_were_not_judged_and_nothing_extracted_is_told(made: Any) -> None:
    made.quality_figures |= {"genre_classifier": None, "genre_reason": f"one genre alone {EVIL}"}
    made.copying_figures |= {"extractable": None, "extractable_reason": "a context of 64 tokens"}
    made.memorisation = [
        row for row in measured.memorisation([100, 200]) if row["measure"] != "extractable"
    ]
    soup = read(made, "quality", "memorisation")
    assert "Genres were not judged: one genre alone <script>" in words(soup.select_one("#quality"))
    assert "not tried: a context of 64 tokens" in words(soup.select_one("#memorisation"))
    assert "extractable" not in [dt.get_text() for dt in soup.select(".figures dt")]
    assert not soup.select("script")


def test_novelty_is_told_for_each_length_beside_people(made: Any) -> None:
    section = read(made, "memorisation").select_one("#memorisation")
    table = section.select("table")[-1]
    assert [th.get_text() for th in table.select("thead th")] == [
        *("Words", "step 100", "step 200", "held-out human text")
    ]
    assert [row.th.get_text() for row in table.select("tbody tr")] == [str(n) for n in range(1, 11)]
    assert "43 % of its runs of 4 words are new (human 60 %)" in words(section)


def test_a_figure_that_was_not_measured_is_an_error(made: Any) -> None:
    rows = measured.memorisation([100, 200])
    made.memorisation = [row | {"value": float("nan")} for row in rows]
    with pytest.raises(ValueError, match="copied is nan; let it be measured"):
        made.write()
