"""README.md of a model: a model card in Hugging Face's form, from the report's own figures.

The fields are those of huggingface.co/docs/hub/model-cards, written and read by huggingface_hub;
`model-index` has the figures that compare models. Stories in it are a random draw with its seed.
"""

import math
import re
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import pyarrow.compute as pc

from pipeline.corpus.markdown import link
from pipeline.corpus.markdown import plain as escaped
from pipeline.licences import LICENCES, Licence
from pipeline.reports.comparison import difference_from
from pipeline.reports.definitions import DEFINITIONS
from pipeline.reports.material import Material
from pipeline.reports.quoted import quoted
from pipeline.reports.sections.stories import SEED, describe, draw, rows_of
from pipeline.reports.summary import key_figures
from pipeline.reports.text import counted, number, short, size, span

#: Stories in a card, and characters of each.
STORIES, SHOWN = 4, 700
#: An id of the hub; anything else that a base may be is a folder of somebody's machine.
_HUB_ID = re.compile(r"[A-Za-z0-9][\w.-]*(/[A-Za-z0-9][\w.-]*)?")
#: The figures of `model-index`, and the split each was measured against; None: the held-out one.
_METRICS = {
    "bits_per_byte": None,
    "perplexity_per_word": None,
    "copied": "train",
    "extractable": "train",
}
#: What the splits are for whose text is in no gradient.
_HELD_OUT = {
    "validation": "which chose the step whose weights were kept",
    "test": "which it is measured on",
}


def model_card(material: Material, figures: Mapping[str, Any]) -> str:
    """The card; `figures` are those that `write_report` returns."""
    from huggingface_hub import ModelCard, ModelCardData

    spec = material.training.get("spec") or {}
    terms = [LICENCES[spdx] for spdx in _licences(material) if spdx in LICENCES]
    base = spec.get("base")
    data = ModelCardData(
        model_name=material.name,
        base_model=base if base and _HUB_ID.fullmatch(base) else None,
        eval_results=list(_results(material, figures)),
        language=_languages(material.corpus_figures) or None,
        library_name="transformers",
        pipeline_tag="text-generation",
        tags=["text-generation", "stories", "loremill"],
        **_licence(terms),
    )
    parts = [
        f"# {escaped(material.name)}",
        *([f"> **{told(material.notice)}**"] if material.notice else []),
        *_what(material, figures),
        "## Figures",
        _figures(figures),
        "`report.html` beside this card has them by source, genre and licence, and as curves over "
        "checkpoints.",
        "## How it was measured",
        *(f"**{DEFINITIONS[key].title}.** {DEFINITIONS[key].text}" for key in _defined(figures)),
        "## What it copies",
        told(figures["copying_verdict"]),
        *(f"- {told(line)}" for line in figures["advice"]),
        *_stories(material),
        *_corpus(material, terms, base),
        *_limits(material, figures),
        *_use(spec),
    ]
    card = ModelCard(f"---\n{data.to_yaml()}\n---\n\n" + "\n\n".join(parts) + "\n")
    return str(card)


def told(text: str) -> str:
    """A text of our own making, which may hold a name of somebody's, of whatever length."""
    return " ".join(escaped(sentence) for sentence in re.split(r"(?<=[.:;]) ", text))


def _results(material: Material, figures: Mapping[str, Any]) -> Iterator[Any]:
    from huggingface_hub import EvalResult

    corpus = _corpus_name(material)
    for name, (value, low, high), say in key_figures(figures):
        key = name.replace(" ", "_")
        if key not in _METRICS or value is None or not math.isfinite(value):
            continue
        bounds = span(low, high, say)
        yield EvalResult(
            task_type="text-generation",
            task_name="Text generation",
            dataset_type=corpus,
            dataset_name=f"Story corpus: {corpus}",
            dataset_split=_METRICS[key] or figures["held_out_split"],
            metric_type=key,
            metric_name=f"{name} (95 % interval {bounds})" if bounds else name,
            metric_value=round(value, 6),
        )


def _corpus_name(material: Material) -> str:
    return str((material.training.get("spec") or {}).get("corpus") or "stories")


def _languages(figures: Mapping[str, Any]) -> list[str]:
    found = {name.partition("-")[0].casefold() for name in figures["by_language"]}
    return sorted(name for name in found if re.fullmatch("[a-z]{2,3}", name))


def _licences(material: Material) -> list[str]:
    """Those of the text that it was trained on, by name."""
    of = (pc.field("split") == "train") & (pc.field("kind") == "document")
    return sorted(material.manifest.filter(of)["licence"].unique().to_pylist())


def _licence(terms: Sequence[Licence]) -> dict[str, str]:
    """One licence by its id; of several, which together bind, the names."""
    if not terms:
        return {}
    if len({term.hugging_face for term in terms}) == 1 and terms[0].hugging_face != "other":
        return {"license": terms[0].hugging_face}
    named = {
        "license": "other",
        "license_name": "-and-".join(sorted(term.spdx.casefold() for term in terms)),
    }
    return named | ({"license_link": terms[0].url} if len(terms) == 1 else {})


def _what(material: Material, figures: Mapping[str, Any]) -> Iterator[str]:
    spec = material.training.get("spec") or {}
    base = spec.get("base")
    made = "trained from scratch"
    if base:
        made = f"made from {escaped(base)}" if _HUB_ID.fullmatch(base) else "made from a local base"
    parameters = f" of {short(figures['parameters'])} parameters" if "parameters" in figures else ""
    yield (
        f"A language model{parameters} that tells stories, {made} on the story corpus "
        f"{escaped(_corpus_name(material))} by Loremill."
    )
    yield told(figures["verdict"])


def _figures(figures: Mapping[str, Any]) -> str:
    rows = [
        f"| {name} | {say(value)} | {span(low, high, say) or '–'} |"
        for name, (value, low, high), say in key_figures(figures)
        if value is not None
    ]
    before = number(figures["bits_per_byte_before"])
    rows.insert(1, f"| bits per byte before training | {before} | |")
    return "\n".join(["| figure | value | 95 % interval |", "| --- | ---: | :---: |", *rows])


def _defined(figures: Mapping[str, Any]) -> Iterator[str]:
    yield from ("bits-per-byte", "held-out", "interval", "copied", "human-text")
    if "extractable" in figures:
        yield "extractable"


def _stories(material: Material) -> Iterator[str]:
    rows = material.samples.to_pylist()
    if not rows:
        return
    last = max(row["step"] for row in rows)
    rows = [row for row in rows if row["step"] == last]
    drawn = draw(rows, STORIES)
    found = rows_of(material.passages, {row["sample"] for row in drawn})
    longest = {row["sample"]: row for row in found if row["longest"]}
    yield "## Stories"
    yield (
        f"{len(drawn)} of {counted(len(rows), 'story', 'stories')} after step {last:,}, drawn at "
        f"random with seed {SEED}; none was picked by hand."
    )
    for row in drawn:
        yield f"{escaped(row['setting'])}: {escaped(describe(row))} · seed {row['seed']}"
        prompt = row["prompt"] if row["include_prompt"] else ""
        yield quoted(prompt + row["text"], SHOWN)
        if row["sample"] in longest:
            yield _match(longest[row["sample"]])


def _match(row: Mapping[str, Any]) -> str:
    section = f", {escaped(row['section'])}" if row["section"] else ""
    revision = f", revision {escaped(row['revision'])}" if row["revision"] else ""
    page = link(row["title"] or "", row["attribution_url"] or row["url"] or "")
    return (
        f"Its longest passage from the training text, {counted(row['words'], 'word')}, stands in "
        f"{page}{section}{revision}, {escaped(row['licence'] or 'no licence')}."
    )


def _corpus(material: Material, terms: Sequence[Licence], base: str | None) -> Iterator[str]:
    figures = material.corpus_figures
    splits = figures["by_split"]
    yield "## What it was trained on"
    yield (
        f"{_counts(splits['train'])}: the train split of the corpus. Each document stays under the "
        "licence of its page; ATTRIBUTION.md of the corpus names every page and credits its "
        "authors, and trained_on.parquet of the model every document that its making read."
    )
    held_out = "; ".join(
        f"{split} ({_counts(splits[split])}), {purpose}"
        for split, purpose in _HELD_OUT.items()
        if split in splits
    )
    if held_out:
        yield f"Held out, split by {escaped(figures['split_by'])}: {held_out}."
    rows = (f"| [{t.spdx}]({t.url}) | {' '.join(t.asks) or 'Asks for nothing.'} |" for t in terms)
    yield "\n".join(["| licence | asks |", "| --- | --- |", *rows])
    if any(term.non_commercial for term in terms):
        yield "**Some of this text is not for commercial use.**"
    if base:
        yield "The licence of the base that it was made from applies as well."


def _counts(of: Mapping[str, int]) -> str:
    return (
        f"{counted(of['documents'], 'document')} of {counted(of['works'], 'work')}, "
        f"{counted(of['words'], 'word')}, {size(of['bytes'])}"
    )


def _limits(material: Material, figures: Mapping[str, Any]) -> Iterator[str]:
    yield "## Limits"
    yield (
        "It tells stories in the manner of its corpus and knows nothing of the world: what it "
        "says is invented, and it may repeat what its sources got wrong or held against somebody. "
        "What it writes is not searched for copies: see above how much of it is copied."
    )
    if figures["better"] != "better":
        yield "It is not shown to be better than the model before training."
    counting = difference_from("ngram", figures["held_out_split"], material.differences)
    if counting is not None and not counting.below(0):
        yield (
            "It is not shown to be better than an n-gram model, which counts in the training text "
            "which characters follow which."
        )
    if material.corpus_figures["split_by"] != "work":
        yield ("Other parts of the held-out works were trained on, so that its figures flatter it.")
    if figures["bits_per_byte_interval"] is None:
        yield "Its figures have no interval: how much of them is chance is not known."


def _use(spec: Mapping[str, Any]) -> Iterator[str]:
    yield "## How to use it"
    needs = (
        "import pipeline.models.recurrent  # of Loremill: transformers then knows the folder\n"
        if spec.get("recurrent")
        else ""
    )
    yield (
        "```python\n"
        f"{needs}"
        "from transformers import AutoModelForCausalLM, AutoTokenizer\n\n"
        'tokenizer = AutoTokenizer.from_pretrained("path/to/final")\n'
        'model = AutoModelForCausalLM.from_pretrained("path/to/final")\n'
        'prompt = tokenizer("Once upon a time", return_tensors="pt")\n'
        "story = model.generate(**prompt, do_sample=True, max_new_tokens=200)\n"
        "print(tokenizer.decode(story[0], skip_special_tokens=True))\n"
        "```"
    )
    yield "Where it was made, `loremill sample` draws stories with all of its settings."
