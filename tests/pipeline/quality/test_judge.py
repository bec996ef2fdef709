"""Bits of a story under a judge are those of its own words, after the prompt."""

import math

import pytest
import torch

from pipeline.corpus import read_split
from pipeline.model_spec import MeasureSettings, ModelError
from pipeline.models.framing import frame_of
from pipeline.models.initial import load_trained
from pipeline.models.tokenizers import encode
from pipeline.perplexity.ngram import NgramModel
from pipeline.quality.judge import bits_of, load_judge
from tests.pipeline.clean.texts import prose

_PAIRS = [
    ("In the mill, Mira", " finds the map folded into a loaf of bread."),
    ("", "In Harrow fen, a fox promises never to sing again, and sings."),
    ("In the mill", ""),
]


@pytest.fixture
def judged_by(make_spec):
    """A spec with a judge."""

    def make(**measures):
        return make_spec().model_copy(update={"measures": MeasureSettings(**measures)})

    return make


def test_a_models_bits_are_those_of_the_tokens_after_the_prompt(trained, corpus, judged_by):
    judge = load_judge(judged_by(judge=str(trained / "final")), trained, corpus, "cpu")
    model, tokenizer = load_trained(trained / "final")
    start = frame_of(tokenizer).start
    found = bits_of(judge, _PAIRS)
    for (prompt, text), bits in list(zip(_PAIRS, found, strict=True))[:2]:
        before, own = (ids.tolist() for ids in encode(tokenizer, [prompt, text]))
        ids = torch.tensor([[start, *before, *own]])
        with torch.inference_mode():
            likely = model(ids).logits.log_softmax(-1)[0, :-1].gather(1, ids[0, 1:, None])
        assert bits == pytest.approx(-float(likely[len(before) :].sum()) / math.log(2), rel=1e-4)
    assert found[2] is None


@pytest.mark.parametrize("written", ["{0}/final", "{0}/final/", "{0}/../{0.name}/final"])
def test_a_judge_in_a_folder_is_named_without_where_it_lies(trained, corpus, judged_by, written):
    named = load_judge(judged_by(judge=written.format(trained)), trained, corpus, "cpu").name
    assert named == "final"


def test_a_story_and_a_prompt_longer_than_the_context_are_scored_whole(trained, corpus, judged_by):
    judge = load_judge(judged_by(judge=str(trained / "final")), trained, corpus, "cpu")
    long, short = bits_of(judge, [(prose(200, 1), prose(200, 2)), ("", prose(20, 2))])
    assert long > 5 * short


def test_without_a_judge_or_a_base_the_training_text_judges(trained, corpus, judged_by):
    judge = load_judge(judged_by(), trained, corpus, "cpu")
    learned = NgramModel.learn(document.text for document in read_split(corpus, "train"))
    assert judge.name == learned.name
    told = []
    found = bits_of(judge, _PAIRS, lambda done, total: told.append((done, total)))
    prompt, text = _PAIRS[0]
    expected = (learned.nats(prompt + text) - learned.nats(prompt)) / math.log(2)
    assert found[0] == pytest.approx(expected)
    assert found[1] == pytest.approx(learned.nats(_PAIRS[1][1]) / math.log(2))
    assert found[2] is None
    assert told == [(2, 2)]
    # What it has read it finds easier than the same letters in another order.
    easy, hard = bits_of(judge, [("", text), ("", text[::-1])])
    assert easy < hard / 2


def test_the_base_judges_at_the_commit_that_it_was_trained_from(
    trained, corpus, make_spec, tmp_path
):
    (tmp_path / "training.json").write_text('{"base_revision": null}')
    spec = make_spec().model_copy(update={"base": str(trained / "final"), "size": None})
    assert load_judge(spec, tmp_path, corpus, "cpu").name == "final"


def test_a_judge_that_cannot_be_had_is_one_clear_error(trained, corpus, judged_by, monkeypatch):
    monkeypatch.setenv("HF_HUB_OFFLINE", "1")
    with pytest.raises(
        ModelError, match=r"judge 'nobody/nothing' cannot be loaded.*measures.judge"
    ):
        load_judge(judged_by(judge="nobody/nothing"), trained, corpus, "cpu")


def test_a_judge_of_pickled_weights_is_never_loaded(trained, corpus, judged_by, tmp_path):
    for file in (trained / "final").iterdir():
        if file.suffix == ".json":
            (tmp_path / file.name).write_bytes(file.read_bytes())
    (tmp_path / "pytorch_model.bin").write_bytes(b"cos\nsystem\n(S'touch owned'\ntR.")
    with pytest.raises(ModelError, match="pickled ones are never loaded"):
        load_judge(judged_by(judge=str(tmp_path)), trained, corpus, "cpu")
