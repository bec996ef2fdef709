"""The model card as the hub's own reader and a Markdown renderer read it."""

import re
from typing import Any

import pytest
from bs4 import BeautifulSoup, Comment
from huggingface_hub import ModelCard
from markdown_it import MarkdownIt

from tests.pipeline.reports import measured

EVIL = '<script>alert(1)</script> <img src=x onerror="alert(2)"> [go](javascript:alert(3)) `a` |'


@pytest.fixture
def card(made: Any) -> Any:
    """Writes the card and reads it as the hub's library does."""
    made.training["spec"] |= {"corpus": "demo", "base": "openai-community/gpt2"}

    def card() -> ModelCard:
        path = made.root / "README.md"
        path.write_text(made.card(), "utf-8")
        return ModelCard.load(path)

    return card


def rendered(card: ModelCard) -> BeautifulSoup:
    return BeautifulSoup(MarkdownIt("commonmark").enable("table").render(card.text), "lxml")


def test_the_model_index_has_the_reports_figures(made: Any, card: Any) -> None:
    figures = made.write()
    assert (made.page.parent / "README.md").read_text("utf-8") == made.card()
    data = card().data
    found = {of.metric_type: of for of in data.eval_results}
    assert {name: of.metric_value for name, of in found.items()} == {
        "bits_per_byte": 2.31,
        "perplexity_per_word": round(figures["perplexity_per_word_after"], 6),
        "copied": 0.008,
        "extractable": 0.002,
    }
    assert found["bits_per_byte"].metric_name == "bits per byte (95 % interval 2.21 to 2.41)"
    assert {name: of.dataset_split for name, of in found.items()} == {
        "bits_per_byte": "test", "perplexity_per_word": "test", "copied": "train",
        "extractable": "train",
    }  # fmt: skip
    assert data.base_model == "openai-community/gpt2"
    assert data.model_name == "demo-gpt2"
    assert data.language == ["en"]
    assert data.pipeline_tag == "text-generation"
    assert data.license == "other"
    assert data.license_name == "cc-by-nc-sa-2.5-and-cc-by-sa-4.0"


def test_one_licence_is_named_by_its_id_and_a_local_base_not_at_all(made: Any, card: Any) -> None:
    made.documents = [
        made.document(n, split, "wikipedia", "CC-BY-SA-4.0")
        for n, split in enumerate(("train", "test"))
    ]
    made.training["spec"]["base"] = "/home/oda/models/base"
    found = card()
    assert found.data.license == "cc-by-sa-4.0"
    assert found.data.base_model is None
    assert "/home/oda" not in found.content


def test_what_it_was_trained_on_is_told_apart_from_what_was_held_out(made: Any, card: Any) -> None:
    made.documents = [
        made.document(n, split, "wikipedia", licence, text=made.tell(n, 12))
        for n, (split, licence) in enumerate(
            [*([("train", "CC-BY-SA-4.0")] * 3), ("validation", "CC-BY-SA-4.0")]
            + [("test", "CC-BY-NC-SA-2.5")] * 2
        )
    ]
    found = card()
    said = " ".join(rendered(found).get_text(" ").split())
    of = {
        split: [one["text"] for one in made.documents if one["split"] == split]
        for split in ("train", "validation", "test")
    }
    told = {
        split: f"{sum(len(text.split()) for text in texts)} words" for split, texts in of.items()
    }
    assert f"3 documents of 3 works, {told['train']}" in said
    assert (
        f"Held out, split by work: validation (1 document of 1 work, {told['validation']}" in said
    )
    assert f"2 documents of 2 works, {told['test']}" in said
    assert "6 documents" not in said
    # A licence of held-out text alone is none of what the model was made from.
    assert found.data.license == "cc-by-sa-4.0"
    assert "not for commercial use" not in said


def test_stories_are_a_draw_with_its_seed_of_the_last_step(made: Any, card: Any) -> None:
    made.samples = [
        made.sample(step, n, f"Prompt {n}.", f" It was told at {step}.")
        for n in range(30)
        for step in (100, 200)
    ]
    said = rendered(card()).get_text(" ")
    assert "4 of 30 stories after step 200, drawn at random with seed 20" in said
    assert said.count("It was told at 200.") == 4
    assert "told at 100" not in said


def test_text_of_models_and_of_the_web_is_no_markup(made: Any, card: Any) -> None:
    made.name = f"demo {EVIL}"
    lines = [f"# {EVIL}", "- one", "1. two", "---", "https://evil.example", "    code", "> three"]
    made.samples = [made.sample(200, 0, "Once", "\n\n".join(lines), setting=EVIL)]
    sample = made.samples[0] | {"sample": 0}
    made.passages = [
        measured.passage(
            sample, 1, 2, title=f"Tale {EVIL}", section=EVIL, revision=EVIL,
            url=f"data:{EVIL}", attribution_url="javascript:alert(1)",
        )
    ]  # fmt: skip
    made.copying_figures |= {"verdict": f"It copies {EVIL}", "advice": [EVIL], "passed": False}
    made.notice = f"Taken down {EVIL}"
    found = card()
    page = rendered(found)
    assert not page.select("script, img, blockquote :is(h1, h2, ul, ol, hr, code, a, blockquote)")
    links = {a["href"] for a in page.select("a")}
    assert all(link.startswith("https://creativecommons.org/") for link in links)
    assert "https\\://evil" in found.text
    assert "<script>alert(1)</script>" in page.get_text()
    assert found.data.model_name == made.name


def test_which_passages_were_tried_stands_beside_what_is_extractable(card: Any) -> None:
    said = " ".join(rendered(card()).get_text().split())
    assert "Tried are beginnings, of documents and of the blocks that training cuts" in said


def test_a_model_not_shown_to_beat_counting_says_so_among_its_limits(made: Any, card: Any) -> None:
    assert "an n-gram model" not in rendered(card()).get_text()
    made.differences = measured.differences(made.scores, width=3.0)
    said = " ".join(rendered(card()).get_text().split())
    assert "It is not shown to be better than an n-gram model, which counts" in said


def test_an_address_of_mail_is_no_link_for_any_renderer(made: Any, card: Any) -> None:
    made.samples = [made.sample(200, 0, "Once", " the miller wrote to fox@mill.example, twice.")]
    page = rendered(card())
    assert "the miller wrote to fox@mill.example, twice." in page.get_text()
    pieces = [str(text) for text in page.find_all(string=True) if not isinstance(text, Comment)]
    assert not [text for text in pieces if re.search(r"@\w", text)]


def test_a_page_without_an_address_is_named_without_one(made: Any, card: Any) -> None:
    made.samples = [made.sample(200, 0, "Once", " the miller's daughter hid the brass key.")]
    sample = made.samples[0] | {"sample": 0}
    made.passages = [measured.passage(sample, 0, 3, url="", attribution_url=None)]
    said = " ".join(rendered(card()).get_text().split())
    assert re.search(r"stands in “Tale \d+”, Plot", said)
    assert "()" not in said


def test_the_copying_verdict_and_a_takedown_stand_in_the_card(made: Any, card: Any) -> None:
    made.notice = "This model was trained on a text that was taken down since (on 2026-01-01)."
    made.copying_figures |= {"passed": False, "advice": ["Train for fewer steps."]}
    said = " ".join(rendered(card()).get_text(" ").split())
    assert "trained on a text that was taken down since" in said
    assert made.copying_figures["verdict"] in said
    assert "Train for fewer steps." in said
    assert "Some of this text is not for commercial use." in said


def test_a_recurrent_model_says_what_transformers_needs(made: Any, card: Any) -> None:
    assert "pipeline.models.recurrent" not in card().text
    made.training["spec"] |= {"base": None, "recurrent": {"cell": "lstm"}}
    assert "import pipeline.models.recurrent" in card().text
