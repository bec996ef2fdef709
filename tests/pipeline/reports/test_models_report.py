"""The page of all models of a corpus: who leads, what is chance, and what is not compared."""

import json
from typing import Any

import pytest
from lxml import html as lxml_html

from pipeline.perplexity.compare import compare_models
from pipeline.ratings.stories import Side, Writer
from pipeline.ratings.tally import tallies
from pipeline.ratings.votes import Vote
from pipeline.reports.models import Missing
from pipeline.reports.models.table import kind_of
from tests.pipeline.reports import measured
from tests.pipeline.reports.contenders import Contenders, work_rows

MINI = {"preset": "gpt2", "size": "mini"}
LSTM = {"preset": "char-lstm", "recurrent": {"cell": "lstm"}, "tokenizer": {"kind": "characters"}}
HOSTILE = "</div><script>alert('owned')</script><b onclick=x>"


@pytest.fixture
def contenders(made: Any) -> Contenders:
    return Contenders(made, made.root)


def _row(page: str, name: str) -> list[str]:
    """The cells of a model's row as they are read."""
    for row in lxml_html.fromstring(page).xpath("//table[contains(@class, 'models')]//tr"):
        cells = [" ".join(cell.text_content().split()) for cell in row.xpath("./th|./td")]
        if cells[0].startswith(name):
            return cells
    raise AssertionError(name)


def test_the_models_stand_in_order_with_the_difference_to_the_best(
    contenders: Contenders,
) -> None:
    contenders.add("fox-lstm", 2.62, LSTM, wobble=0.4)
    contenders.add("fox-gpt2", 2.10, MINI)
    figures, plot = contenders.write()
    page = contenders.html()
    assert [model["name"] for model in figures["models"]] == ["fox-gpt2", "fox-lstm"]
    assert "Of 2 models, fox-gpt2 foretells best: it needs 2.10 bits" in figures["verdict"]
    assert figures["verdict"] in page
    assert plot is not None
    assert plot.startswith(b"\x89PNG")
    best, behind = _row(page, "fox-gpt2"), _row(page, "fox-lstm")
    assert best[1:3] == ["2.100 2.000 to 2.200", "best"]
    (apart,) = (
        compare_models({one.name: _works(contenders, one.name) for one in contenders.entrants})
        .filter(_of_all())
        .to_pylist()
    )
    low, high = (f"{bound:+.3f}" for bound in (apart["low"], apart["high"]))
    assert behind[2] == f"+0.520 {low} to {high}"
    assert "0.8 %" in best[5]
    assert "people 1.1 %" in best[5]
    assert best[10].endswith("people 71 %, by chance 39 %")
    assert _row(page, "n-gram model")[1] == "2.900 2.800 to 3.000"
    assert _row(page, "fox-lstm before training")[1].startswith("8.020")
    tree = lxml_html.fromstring(page)
    assert tree.xpath("//a[@href='../fox-lstm/index.html']")
    pairs = tree.xpath("//section[@id='pairs']//tbody/tr")
    told = [[" ".join(cell.text_content().split()) for cell in row] for row in pairs]
    assert told == [["fox-gpt2", "fox-lstm", f"0.520 {low} to {high}", "20", "yes"]]


def _works(contenders: Contenders, name: str) -> Any:
    import pyarrow.parquet as pq

    return pq.read_table(contenders.root / name / "perplexity/works.parquet")


def _of_all() -> Any:
    import pyarrow.compute as pc

    return pc.field("group_by") == "all"


def test_a_best_model_that_beats_no_baseline_is_not_praised(contenders: Contenders) -> None:
    contenders.add("fox-gpt2", 3.1, MINI)
    contenders.add("fox-lstm", 3.62, LSTM)
    figures, _ = contenders.write()
    said = "It does worse than n-gram model (2.90): +0.20, +0.15 to +0.25 bits a byte."
    assert figures["verdict"].endswith(said)
    assert figures["verdict"] in contenders.html()
    assert _row(contenders.html(), "n-gram model")[2] == "−0.200 −0.250 to −0.150"


def test_a_best_model_ahead_of_counting_by_chance_alone_is_not_praised(
    contenders: Contenders, made: Any
) -> None:
    made.differences = [
        row | {"low": row["value"] - 0.3, "high": row["value"] + 0.3}
        for row in measured.differences(
            [*made.both("all", "all", 8.02, 2.8), made.score("ngram", "all", "all", 2.9)]
        )
    ]
    contenders.add("fox-gpt2", 2.8, MINI)
    figures, _ = contenders.write()
    said = "It cannot be told from n-gram model (2.90): −0.10, −0.40 to +0.20 bits a byte."
    assert figures["verdict"].endswith(said)
    behind = _row(contenders.html(), "n-gram model")[2]
    assert behind == "+0.100 −0.200 to +0.400 not distinguishable from the best"
    made.differences = [row | {"low": None, "high": None} for row in made.differences]
    contenders.entrants.clear()
    contenders.add("fox-gru", 3.4, LSTM)
    figures, _ = contenders.write()
    for name, bits in (("n-gram model", "2.90"), ("xz", "3.30")):
        assert f"It needs no fewer bits than {name} ({bits})." in figures["verdict"]


def test_what_may_be_chance_is_not_told_as_a_result(contenders: Contenders) -> None:
    contenders.add("fox-gpt2", 2.10, MINI)
    contenders.add("fox-gru", 2.11, LSTM, wobble=0.6)  # apart by far more, work for work
    figures, _ = contenders.write()
    assert "cannot be told from fox-gru" in figures["verdict"]
    assert [model["distinguishable"] for model in figures["models"]] == [False, False]
    assert "not distinguishable from the best" in _row(contenders.html(), "fox-gru")[2]
    tree = lxml_html.fromstring(contenders.html())
    (pair,) = tree.xpath("//section[@id='pairs']//tbody/tr")
    assert "not distinguishable" in pair.text_content()
    assert "yes" not in pair.text_content()


def test_other_held_out_text_is_never_compared(contenders: Contenders) -> None:
    contenders.add("fox-gpt2", 2.10, MINI)
    contenders.add("fox-tuned", 1.2, {"preset": "gpt2", "base": "owner/gpt2"},
                   works=work_rows(1.2)[:-3])  # fmt: skip
    figures, _ = contenders.write()
    page = contenders.html()
    assert figures["stale"] == ["fox-tuned"]
    assert "materialize fox-tuned/perplexity." in page
    assert [model["name"] for model in figures["models"]] == ["fox-gpt2", "fox-tuned"]
    assert "there is no other model to hold it against" in figures["verdict"]
    row = _row(page, "fox-tuned")
    assert row[1].startswith("1.200 other text")
    assert row[2] == "–"
    assert 'id="pairs"' not in page
    assert "fox-tuned" not in "".join(
        lxml_html.fromstring(page).xpath("//*[@class='plot wide']//text()")
    )


def test_an_earlier_corpus_a_takedown_and_a_model_that_is_missing_are_said(
    contenders: Contenders,
) -> None:
    contenders.add("fox-gpt2", 2.10, MINI, version="of long ago")
    contenders.add("fox-lstm", 2.62, LSTM, notice="It was trained on a text taken down since.")
    contenders.missing.append(Missing("fox-gru", "fox-gru/quality"))
    figures, _ = contenders.write()
    page = contenders.html()
    assert "fox-gpt2 was trained on an earlier version of the corpus" in page
    assert "fox-lstm was trained on an earlier" not in page
    assert "It was trained on a text taken down since." in page
    assert "fox-gru is not on this page: materialize fox-gru/quality." in page
    assert figures["missing"] == ["fox-gru"]


def test_who_copies_above_its_bound_stands_in_the_table_and_is_marked(
    contenders: Contenders, made: Any
) -> None:
    contenders.add("fox-lstm", 2.62, LSTM)
    made.copying_figures = made.copying_figures | {"passed": False}
    contenders.add("fox-gpt2", 2.10, MINI)
    figures, _ = contenders.write()
    assert {one["name"]: one["above_bound"] for one in figures["models"]} == {
        "fox-gpt2": True,
        "fox-lstm": False,
    }
    marked, honest = _row(contenders.html(), "fox-gpt2"), _row(contenders.html(), "fox-lstm")
    assert marked[0].startswith("fox-gpt2 copies above its bound GPT-2 mini")
    assert "bound" not in honest[0]
    tree = lxml_html.fromstring(contenders.html())
    assert tree.xpath("//th[@scope='row']//button/@popovertarget") == ["about-bound"]


def test_a_model_whose_figures_are_not_of_one_model_is_compared_with_none(
    contenders: Contenders,
) -> None:
    contenders.add("fox-gpt2", 2.10, MINI)
    because = "fox-gru/quality was made from another fox-gru/model than is there now"
    contenders.missing.append(Missing("fox-gru", "fox-gru/quality", because))
    figures, _ = contenders.write()
    told = f"fox-gru is held against no other, for {because}: materialize fox-gru/quality."
    assert told in contenders.html()
    assert (figures["stale"], figures["missing"]) == (["fox-gru"], [])


def test_only_other_text_leaves_a_page_without_a_plot(contenders: Contenders) -> None:
    contenders.add("fox-gpt2", 2.10, MINI, works=work_rows(2.1)[:-1])
    figures, plot = contenders.write()
    assert plot is None
    assert "No model of demo was measured on its held-out text as it is now" in figures["verdict"]


def test_stories_for_the_same_prompt_stand_side_by_side_with_their_copies(
    contenders: Contenders, made: Any
) -> None:
    def told(model: str, **other: Any) -> list[dict[str, Any]]:
        texts = [made.tell(hash_of, 4) for hash_of in (len(model), len(model) + 50)]
        return [
            made.sample(200, n, prompt, f" {model} says. {texts[n]}", **other)
            for n, prompt in enumerate(["Once upon a time", "The fox looked up"])
        ]

    contenders.add("fox-gpt2", 2.10, MINI, samples=told("fox-gpt2", max_length=90))
    contenders.add("fox-lstm", 2.62, LSTM, samples=told("fox-lstm", max_length=400))
    contenders.add("fox-cold", 2.70, LSTM, samples=told("fox-cold", temperature=0.1))
    contenders.write()
    tree = lxml_html.fromstring(contenders.html())
    rows = tree.xpath("//div[contains(@class, 'stories')]")
    heads = [row.xpath(".//h4/text()") for row in rows]
    assert heads == [["fox-gpt2", "fox-lstm"]] * 2 + [["fox-cold"]] * 2
    for row, names in zip(rows, heads, strict=True):
        for article, name in zip(row.xpath("./article"), names, strict=True):
            assert f"{name} says." in article.text_content()
            assert article.xpath(".//mark[@class='longest']")
            assert article.xpath(".//p[@class='match']//a[starts-with(@href, 'https://')]")
    drawn = tree.xpath("//p[@class='setting']/text()")
    assert drawn[0].endswith("repetition penalty 1.1 · at most 90 to 400 tokens")
    assert drawn[-1].endswith("repetition penalty 1.1 · at most 200 tokens")
    said = " ".join(tree.xpath("//section[@id='stories']//p")[0].text_content().split())
    assert "All 2 rows of stories that models were asked for alike are here" in said
    assert "Of fox-cold, which shares no prompt and setting" in said


def test_what_people_said_stands_on_the_page(contenders: Contenders) -> None:
    contenders.add("fox-gpt2", 2.10, MINI)
    contenders.add("fox-lstm", 2.62, LSTM)
    sides = [Side(Writer(name, 200), name, 0) for name in ("fox-gpt2", "fox-lstm")]
    votes = [
        Vote("2026-01-02T03:04:05+00:00", f"ines{HOSTILE}", *(
            Side(side.writer, side.version, n) for side in sides), "left")
        for n in range(8)
    ]  # fmt: skip
    contenders.tallies = tallies(votes, {"fox-gpt2": "fox-gpt2", "fox-lstm": "fox-lstm"})
    contenders.write()
    page = contenders.html()
    assert "fox-gpt2, step 200 won 8 of 8 pairs against fox-lstm, step 200" in page
    assert "is judged better (sign test, p = 0.008)" in page
    assert "<script" not in page


def test_hostile_text_stays_text_and_nothing_is_loaded(contenders: Contenders, made: Any) -> None:
    some = [made.sample(200, 0, HOSTILE, f" {HOSTILE} and ten more words of a story by a fox.")]
    contenders.add("fox-gpt2", 2.10, MINI, samples=some)
    contenders.add("fox-lstm", 2.62, LSTM, samples=[dict(row) for row in some])
    contenders.write()
    page = contenders.html()
    assert "<script" not in page
    assert "alert(&#39;owned&#39;)" in page
    tree = lxml_html.fromstring(page)
    assert not tree.xpath("//@onclick")
    assert not tree.xpath("//@src")
    (policy,) = tree.xpath("//meta[@http-equiv='Content-Security-Policy']/@content")
    assert policy.startswith("default-src 'none'")
    asked = set(tree.xpath("//@popovertarget"))
    assert {"about-best", "about-pairs", "about-copied", "about-baselines"} <= asked
    assert asked <= set(tree.xpath("//@id"))  # each definition is there


def test_the_same_inputs_give_the_same_page_and_its_figures_hold_no_story(
    contenders: Contenders, made: Any
) -> None:
    contenders.add("fox-gpt2", 2.10, MINI)
    contenders.add("fox-lstm", 2.62, LSTM)
    figures, plot = contenders.write()
    first = contenders.html()
    assert contenders.write() == (figures, plot)
    assert contenders.html() == first
    told = json.dumps(figures)
    shown = lxml_html.fromstring(first).text_content()
    for sample in made.samples:
        assert sample["text"].strip()[:30] not in told
        assert (sample["text"].strip() in shown) is (sample["step"] == 200)


@pytest.mark.parametrize(
    ("spec", "kind"),
    [
        (LSTM, "char-LSTM"),
        ({"recurrent": {"cell": "gru"}, "tokenizer": {"kind": "words"}}, "word-GRU"),
        ({"size": "mini"}, "GPT-2 mini, from scratch"),
        ({"base": "/home/somebody/secret/gpt2"}, "gpt2, fine-tuned"),
        ({"base": "owner/distilgpt2", "lora": {"rank": 8}}, "distilgpt2, LoRA"),
    ],
)
def test_the_kind_of_a_model_in_the_fields_own_words(spec: dict[str, Any], kind: str) -> None:
    assert kind_of(spec) == kind
