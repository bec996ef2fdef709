"""The report as a reader, a browser and an attacker meet it."""

import re
import subprocess
import sys
from itertools import pairwise
from pathlib import Path
from typing import Any

import pytest
from bs4 import BeautifulSoup

from pipeline.reports import write_report


def read(made: Any) -> BeautifulSoup:
    return BeautifulSoup(made.page.read_bytes(), "lxml")


def words(soup: BeautifulSoup) -> str:
    return " ".join(soup.get_text(" ").split())


def test_the_verdict_says_what_the_tables_say(made: Any) -> None:
    figures = made.write()
    said = read(made).select_one(".verdict").get_text()
    assert said == figures["verdict"]
    assert "2.31 bits" in said
    assert "down from 8.02 (−71\u202f%)" in said
    assert "48,000 bytes from 2 works" in said


def test_a_model_that_got_worse_is_called_worse(made: Any) -> None:
    made.scores = [*made.both("all", "all", 1.10, 1.32)]
    figures = made.write()
    assert figures["verdict"].startswith("Training made demo-gpt2 worse: it needs 1.32")
    assert "down" not in figures["verdict"]


def test_a_change_too_small_to_measure_is_no_success(made: Any) -> None:
    made.scores = [*made.both("all", "all", 1.100, 1.098)]
    assert made.write()["verdict"].startswith("Training changed nothing that can be measured")


def test_every_group_stands_in_the_table_with_its_figures(made: Any) -> None:
    made.write()
    rows = {
        row.th.get_text(): [cell.get_text().strip() for cell in row.select("td")]
        for row in read(made).select("#held-out tbody tr")
    }
    assert rows["wikipedia"][:3] == [
        "8.05 7.95 to 8.15",
        "2.11 2.01 to 2.21",
        "−74\u202f% −5.99 to −5.89",
    ]
    assert rows["gutenberg"][:3] == [
        "7.99 7.89 to 8.09",
        "2.51 2.41 to 2.61",
        "−69\u202f% −5.53 to −5.43",
    ]
    assert rows["gutenberg"][5] == "23,000"


def test_a_group_that_got_worse_is_marked(made: Any) -> None:
    made.scores += made.both("genre", "fable", 2.0, 2.1) + made.both("genre", "mystery", 2.0, 1.1)
    made.write()
    marked = [m.find_parent("tr").th.get_text() for m in read(made).select("#held-out .mark")]
    assert marked == ["fable"]


def test_corpus_figures_are_those_of_the_text(made: Any) -> None:
    figures = made.write()
    texts = [one["text"] for one in made.documents]
    assert figures["corpus_documents"] == 14
    assert figures["corpus_words"] == sum(len(text.split()) for text in texts)
    assert figures["corpus_bytes"] == sum(len(text.encode()) for text in texts)
    wiki = [one["text"] for one in made.documents if one["source"] == "wikipedia"]
    row = next(
        r
        for r in read(made).select("#corpus tbody tr")
        if r.th.get_text().strip() == "demo/wikipedia"
    )
    cells = [cell.get_text().strip() for cell in row.select("td.n")]
    assert cells == [
        f"{len(wiki):,}",
        f"{sum(len(t.split()) for t in wiki):,}",
        f"{sum(len(t.encode()) for t in wiki):,}",
    ]


def test_licences_are_linked_and_non_commercial_ones_flagged(made: Any) -> None:
    made.write()
    soup = read(made)
    links = {a["href"]: a for a in soup.select("#corpus table a")}
    barred = links["https://creativecommons.org/licenses/by-nc-sa/2.5/"].find_parent("th")
    free = links["https://creativecommons.org/licenses/by-sa/4.0/"].find_parent("th")
    assert "non-commercial" in barred.get_text()
    assert "non-commercial" not in free.get_text()


def test_text_of_models_and_of_the_web_stays_text(made: Any) -> None:
    evil = "<script>alert(1)</script><img src=x onerror=alert(2)>\x1b[31m\x00\u202e"
    made.name = f"demo{evil}"
    made.samples = [
        made.sample(100, 0, f"Once {evil}", f" and {evil} \x1b[31mred\x00 \u202etxt", setting=evil)
    ]
    made.documents.append(
        made.document(
            99,
            "train",
            evil,
            "CC0-1.0",
            title=f"Tale {evil}",
            attribution_url="javascript:alert(1)",
            url="data:text/html,x",
        )
    )
    made.scores += made.both("genre", evil, 3.0, 2.0) + made.both("genre", "$\\frac{", 3.0, 2.0)
    made.training["spec"]["note"] = evil
    made.training["versions"][evil] = evil
    made.write()
    soup = read(made)
    assert not soup.select("script, img, iframe, object, embed, form, link, base")
    assert not [tag for tag in soup.find_all() for name in tag.attrs if name.startswith("on")]
    assert "<script>alert(1)</script>" in soup.select_one(".story").get_text()
    assert not {"\x1b", "\x00", "\u202e"} & set(made.page.read_text("utf-8"))


def test_only_web_addresses_become_links(made: Any) -> None:
    bad = [
        *("javascript:alert(1)", "JaVaScRiPt:alert(1)", " javascript:alert(1)", "data:text/html,x"),
        *("//host/x", "http://", "https://a\nb/", "file:///etc/passwd", "http://[::1", None),
    ]
    titles = [f"The Bad {nth}" for nth, _ in enumerate(bad)]
    made.documents = [
        made.document(
            nth, "train", "wikipedia", "CC0-1.0", title=title, attribution_url=url, url="ftp://x/"
        )
        for nth, (title, url) in enumerate(zip(titles, bad, strict=True))
    ] + [made.document(99, "test", "wikipedia", "CC0-1.0", title="The Good One")]
    soup = BeautifulSoup(made.show("corpus"), "lxml")
    linked = {a.get_text(): a["href"] for a in soup.select(".works a")}
    assert linked == {"The Good One": "https://wikipedia.example/99"}
    assert all(title in words(soup) for title in titles)


def test_the_page_needs_nothing_from_anywhere(made: Any) -> None:
    made.write()
    soup = read(made)
    policy = soup.find("meta", attrs={"http-equiv": "Content-Security-Policy"})["content"]
    assert policy.startswith("default-src 'none'; style-src 'unsafe-inline'; img-src data:")
    assert not soup.select("[src], [srcset], link, script, [background]")
    assert not re.search(r"@import|url\((?!#)", made.page.read_text("utf-8"))
    for used in soup.select("use"):
        assert used["href"].startswith("#")


def test_the_page_holds_together(made: Any) -> None:
    """Ids are unique; what refers to an id finds it; headings descend; tables have headers."""
    made.write()
    soup = read(made)
    ids = [tag["id"] for tag in soup.select("[id]")]
    assert len(ids) == len(set(ids))
    refers = [tag["href"][1:] for tag in soup.select("a[href^='#'], use[href^='#']")]
    refers += [tag["popovertarget"] for tag in soup.select("[popovertarget]")]
    refers += [
        name for tag in soup.select("[aria-labelledby]") for name in tag["aria-labelledby"].split()
    ]
    refers += re.findall(r"url\(#([^)]*)\)", made.page.read_text("utf-8"))
    assert refers
    assert set(refers) <= set(ids)
    levels = [int(tag.name[1]) for tag in soup.find_all(re.compile("^h[1-6]$"))]
    assert levels[0] == 1
    assert levels.count(1) == 1
    assert all(after - before <= 1 for before, after in pairwise(levels))
    for table in soup.select("table"):
        assert table.select("thead th[scope=col]")
        assert all(row.find("th", scope=True) for row in table.select("tbody tr"))
    for plot in soup.select("svg"):
        assert len(plot["aria-label"]) > 40


def test_every_key_figure_has_its_definition(made: Any) -> None:
    made.write()
    soup = read(made)
    figures = soup.select(".figures > div")
    terms = [figure.dt.get_text() for figure in figures]
    assert terms == [
        *("bits per byte", "perplexity per word", "copied words", "extractable"),
        *("held-out text", "parameters", "training"),
    ]
    for figure in figures[:4]:
        assert " to " in figure.select_one(".span").get_text()
    for figure in figures:
        about = soup.find(id=figure.select_one("dt button")["popovertarget"])
        assert len(about.p.get_text()) > 30


def test_plots_wear_the_colours_of_the_page(made: Any) -> None:
    made.write()
    for plot in read(made).select("svg"):
        assert "var(--after)" in str(plot)
        assert not re.search(r"#[0-9a-f]{6}", str(plot).replace("#000000", ""))
    assert "prefers-color-scheme: dark" in made.page.read_text("utf-8")


def test_the_same_inputs_give_the_same_bytes(made: Any, tmp_path: Path) -> None:
    figures = made.write()
    first = made.page.read_bytes()
    assert made.write() == figures
    assert made.page.read_bytes() == first


def test_one_source_and_no_genre_still_make_a_report(made: Any) -> None:
    made.scores = [*made.both("all", "all", 8.0, 2.0), *made.both("source", "wikipedia", 8.0, 2.0)]
    made.documents = [
        made.document(n, split, "wikipedia", "CC0-1.0", genre=None)
        for n, split in enumerate(("train", "test"))
    ]
    made.write()
    soup = read(made)
    assert "by genre" not in words(soup)
    rows = soup.select("#held-out .plot.wide[aria-label^='Dot plot'] text")
    assert 5 < len(rows) < 15  # no rows but the whole's


def test_without_samples_or_losses_the_report_says_so(made: Any) -> None:
    made.samples, made.loss = [], []
    made.write()
    soup = read(made)
    assert "No stories were sampled." in words(soup)
    assert soup.find(id="learning") is None


def test_large_inputs_give_a_bounded_page(made: Any) -> None:
    story = ("word " * 20 + "\n\n\n") * 20_000  # 2 MB each
    made.samples = [
        made.sample(step, prompt, f"Prompt {prompt}", story, seed=seed)
        for step in range(100, 700, 100)
        for prompt in range(5)
        for seed in range(2)
    ]
    made.samples += [made.sample(100, 50 + n, f"Short {n}", " a tale") for n in range(30)]
    made.documents += [
        made.document(100 + n, "train", f"source{n % 90}", "CC0-1.0", title="T" * 3000)
        for n in range(2000)
    ]
    made.scores += [
        row for n in range(120) for row in made.both("genre", f"genre {n} " * 40, 5.0, 4.0)
    ]
    made.training["spec"]["prompts"] = ["x" * 500] * 500
    made.loss = [
        {"step": n, "split": "train", "loss": 3.0 + n % 7, "learning_rate": None}
        for n in range(20_000)
    ]
    made.write()
    assert made.page.stat().st_size < 2_000_000
    said = words(read(made))
    assert "24 of 40 rows were drawn at random with seed 20, and 4 of 6 checkpoints" in said
    assert "1,714 more are left out here. The full list is ATTRIBUTION.md" in said
    assert "more characters in samples.parquet" in said


def test_checkpoints_of_a_prompt_stand_side_by_side_in_order(made: Any) -> None:
    made.write()
    groups = read(made).select(".prompt-group")
    assert [group.h3.get_text() for group in groups] == ["Once upon a time", "The fox looked up"]
    for group in groups:
        assert [h.get_text() for h in group.select(".stories h4")] == ["Step 100", "Step 200"]
        for story in group.select(".story"):
            assert story.select_one(".prompt").get_text() == group.h3.get_text()
        assert "temperature 0.8 · top-k 50 · top-p 0.95" in group.get_text()


def test_no_sample_is_left_out_where_there_are_few(made: Any) -> None:
    made.write()
    told = [story.get_text() for story in read(made).select(".story")]
    assert told == [row["prompt"] + row["text"] for row in made.samples]


def test_overfitting_is_told(made: Any) -> None:
    made.loss = [
        {"step": step, "split": "validation", "loss": loss, "learning_rate": None}
        for step, loss in ((100, 4.0), (200, 3.0), (300, 3.6), (400, 4.2))
    ]
    made.write()
    assert "Validation loss was lowest at step 200 (3.00) and rose" in words(read(made))


@pytest.mark.parametrize(
    ("group_by", "before", "after", "split", "complaint"),
    [
        ("all", None, 2.0, "test", "without its initial stage"),
        ("all", 8.0, float("nan"), "test", r"bits per byte of all 'all' \(trained\) is nan"),
        ("all", float("inf"), 2.0, "test", r"bits per byte of all 'all' \(initial\) is inf"),
        ("source", 8.0, 2.0, "test", "no row for all of the test split"),
        ("all", 8.0, 2.0, "train", "no held-out split, only: train"),
    ],
)
def test_a_figure_that_is_none_is_an_error(
    made: Any, group_by: str, before: float | None, after: float, split: str, complaint: str
) -> None:
    made.scores = [made.score("trained", group_by, "all", after, split=split)]
    if before is not None:
        made.scores.append(made.score("initial", group_by, "all", before, split=split))
    with pytest.raises(ValueError, match=complaint):
        made.write()
    assert not made.page.exists()


def test_figures_of_another_corpus_are_an_error(made: Any) -> None:
    made.write_tables()
    made.corpus_figures |= {"documents": 13}
    with pytest.raises(ValueError, match="14 documents and the corpus figures 13"):
        write_report("x", made.inputs, made.root / "other")


def test_a_split_within_works_is_told(made: Any) -> None:
    made.write()
    assert "too few works" not in words(read(made))
    made.split_by_work = False
    made.write()
    assert "too few works to hold whole ones out" in words(read(made))


@pytest.mark.parametrize(
    ("name", "writer"),
    [
        ("samples/samples", "the sampling"),
        ("perplexity/differences", "the perplexity step"),
        ("quality/means", "the quality step"),
        ("memorisation/passages", "the memorisation step"),
    ],
)
def test_a_missing_input_is_named_with_what_writes_it(made: Any, name: str, writer: str) -> None:
    made.write_tables()
    (made.root / f"{name}.parquet").unlink()
    with pytest.raises(FileNotFoundError, match=rf"{name}\.parquet is missing; {writer}"):
        write_report("x", made.inputs, made.root / "other")
    assert not (made.root / "other").exists()


def test_torch_is_not_needed() -> None:
    code = "import sys, pipeline.reports.summary, pipeline.reports; print('torch' in sys.modules)"
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "False"


def test_a_story_names_its_number_by_which_it_is_drawn_again(made: Any) -> None:
    made.write()
    said = words(read(made))
    for sample in made.samples:
        assert f"sample {sample['sample']}, seed {sample['seed']}" in said
