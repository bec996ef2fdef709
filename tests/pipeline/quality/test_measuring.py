"""A sample set of a really trained model is measured whole, beside human text measured alike."""

import numpy as np
import pyarrow.parquet as pq
import pytest

from pipeline import intervals
from pipeline.model_spec import ModelError
from pipeline.quality.human import human_passages
from pipeline.quality.means import FEWEST_PROMPTS, MEANS, SHARES, Group, Measured, means_of
from pipeline.quality.measuring import measure
from pipeline.sampling import sample
from pipeline.schema import QUALITY, QUALITY_MEANS
from tests.pipeline.clean.texts import prose


@pytest.fixture(scope="module")
def measured(trained_lstm, genre_corpus, recurrent_spec, tmp_path_factory):
    """Stories of an LSTM that knows genres, as its own asset draws them, and their measures."""
    folder = tmp_path_factory.mktemp("measured")
    settings = [
        {"name": "free", "top_k": 0, "max_length": 120},
        {"name": "greedy", "temperature": 0, "max_length": 400},
    ]
    spec = recurrent_spec(
        {"cell": "lstm", "embedding": 16, "layers": [48, 32]},
        samples={
            "prompts": ["", "In the mill, Mira"],
            "genres": ["Superhero", "Sci-fi"],
            "settings": settings,
            "count": 3,
        },
    )
    sample(trained_lstm, spec, folder / "samples", device="cpu")
    told = []
    figures = measure(
        trained_lstm, spec, folder / "samples", genre_corpus, folder / "quality",
        device="cpu", report=lambda *progress: told.append(progress),
    )  # fmt: skip
    samples, quality, means = (
        pq.read_table(folder / path)
        for path in ("samples/samples.parquet", "quality/quality.parquet", "quality/means.parquet")
    )
    return figures, samples.to_pylist(), quality, means, told


def test_every_sample_has_a_row_of_the_same_number(measured):
    figures, samples, quality, means, _ = measured
    assert quality.schema.equals(QUALITY)
    assert means.schema.equals(QUALITY_MEANS)
    rows = quality.to_pylist()
    assert len(rows) == len(samples) == figures["stories"] == 16
    for row, drawn in zip(rows, samples, strict=True):
        for name in ("model", "sample", "step", "setting", "genre"):
            assert row[name] == drawn[name]
        assert row["characters"] == len(drawn["text"])
        assert row["words"] == len(drawn["text"].split())
        assert row["judge"] == figures["judge"] == "8-gram of bytes"
        if not row["empty"]:
            assert row["genre_found"] in ("Superhero", "Sci-fi")
            assert 0 <= row["genre_probability"] <= 1
    assert figures["genre_classifier"]["genres"] == 2
    assert figures["genre_reason"] is None


def test_means_are_by_step_setting_and_genre_and_of_people(measured):
    figures, _, quality, means, _ = measured
    rows = means.to_pylist()
    groups = {(row["writer"], row["setting"], row["genre"]) for row in rows}
    assert groups == {
        *(("model", setting, None) for setting in (None, "free", "greedy")),
        *(("model", None, genre) for genre in ("Superhero", "Sci-fi")),
        *(("human", None, genre) for genre in (None, "Superhero", "Sci-fi")),
    }
    assert {row["step"] for row in rows if row["writer"] == "human"} == {None}
    [whole] = [
        row for row in rows if row["writer"] == "model" and row["setting"] == "free"
        and row["measure"] == "distinct_1"
    ]  # fmt: skip
    free = [row["distinct_1"] for row in quality.to_pylist() if row["setting"] == "free"]
    assert whole["texts"] == len(free) == 12
    assert whole["value"] == pytest.approx(np.mean(free))
    assert whole["low"] < whole["value"] < whole["high"]
    assert {row["measure"] for row in rows} == {*MEANS, *SHARES, "bits_per_byte"}
    human = {row["measure"]: row["value"] for row in rows
             if row["writer"] == "human" and row["genre"] is None}  # fmt: skip
    model = {row["measure"]: row["value"] for row in rows
             if (row["writer"], row["setting"], row["genre"]) == ("model", None, None)}  # fmt: skip
    assert human.keys() == model.keys()
    assert human["looping"] == human["empty"] == 0
    # A model of sixty steps has learned to spell the commonest words, no more.
    assert human["bits_per_byte"] < model["bits_per_byte"]
    assert figures["human_texts"] > 0


def test_the_blanks_that_a_greedy_model_writes_without_end_are_a_loop_and_no_story(measured):
    figures, _, quality, _, _ = measured
    greedy = [row for row in quality.to_pylist() if row["setting"] == "greedy"]
    free = [row for row in quality.to_pylist() if row["setting"] == "free"]
    assert all(row["looping"] and row["empty"] for row in greedy)
    assert not any(row["looping"] or row["empty"] for row in free)
    assert figures["looping"] == figures["empty"] == len(greedy) == 4


def test_progress_is_told_of_each_dear_measure(measured):
    *_, told = measured
    texts = told[0][2]
    assert {what for what, *_ in told} == {"words", "self-BLEU", "bits per byte"}
    for what in ("words", "bits per byte"):
        assert [done for name, done, _ in told if name == what][-1] == texts


def test_planted_stories_get_the_figures_they_deserve(
    trained, two_genres, make_spec, rows_of, write_samples, told, tmp_path
):
    texts = [
        told("Sea story", 900), told("Ghost story", 901), "", " .",
        prose(40, 1) + " and the lamp" * 50,
    ]  # fmt: skip
    rows = rows_of(texts, genre="Sea story")
    early = rows_of([prose(50, 3)], step=10, genre="Sea story")
    folder = write_samples(tmp_path / "samples", early + rows)
    figures = measure(trained, make_spec(), folder, two_genres, tmp_path / "out", device="cpu")
    _, sea, ghost, empty, stop, loop = pq.read_table(tmp_path / "out/quality.parquet").to_pylist()
    assert sea["genre_found"] == "Sea story"
    assert sea["genre_probability"] > 0.5 > ghost["genre_probability"]
    assert ghost["genre_found"] == "Ghost story"
    for nothing in (empty, stop):
        assert nothing["empty"]
        assert nothing["genre_found"] is nothing["self_bleu"] is nothing["distinct_1"] is None
    assert empty["bits_per_byte"] is None
    assert loop["looping"]
    assert loop["repetition"] > 0.6
    assert (figures["empty"], figures["looping"], figures["last_step"]) == (2, 1, 30)
    assert figures["stories_of_last_step"] == 5
    means = pq.read_table(tmp_path / "out/means.parquet").to_pylist()
    met = {(row["writer"], row["step"]): row for row in means
           if row["measure"] == "genre_met" and row["genre"] == "Sea story"}  # fmt: skip
    assert met["human", None]["value"] == 1  # people who were asked for a sea story wrote one
    assert met["model", 30]["texts"] == 3
    assert met["model", 30]["value"] in (1 / 3, 2 / 3)  # of the loop anything may be thought
    # All were asked for the same, so that in any order as many are what was asked.
    assert figures["genre_blind"] == pytest.approx(met["model", 30]["value"])


def test_a_model_that_heeds_what_it_is_asked_is_above_one_that_does_not(
    trained, two_genres, make_spec, rows_of, write_samples, told, tmp_path
):
    genres = ("Sea story", "Ghost story")
    seeds = range(900, 906)
    heeds, blind = [], []
    for genre in genres:
        heeds += rows_of([told(genre, n) for n in seeds], genre=genre)
        blind += rows_of([told(genres[n % 2], n) for n in seeds], genre=genre)
    met = {}
    for name, rows in {"heeds": heeds, "blind": blind}.items():
        folder = write_samples(tmp_path / name, rows)
        figures = measure(trained, make_spec(), folder, two_genres, tmp_path / "out", device="cpu")
        assert figures["genre_blind"] == pytest.approx(0.5)
        [whole] = [
            row for row in pq.read_table(tmp_path / "out/means.parquet").to_pylist()
            if (row["writer"], row["genre"], row["setting"]) == ("model", None, None)
            and row["measure"] == "genre_met"
        ]  # fmt: skip
        met[name] = whole["value"]
    assert met == {"heeds": 1.0, "blind": 0.5}


def test_of_people_the_genre_is_asked_only_where_the_classifier_has_not_learned_the_work(
    trained, split_by_document, make_spec, rows_of, write_samples, tmp_path
):
    corpus = split_by_document(tmp_path / "corpus", held_out_whole=10)
    rows = [row for genre in ("ghost", "sea")
            for row in rows_of([prose(30, n) for n in range(4)], genre=genre)]  # fmt: skip
    folder = write_samples(tmp_path / "samples", rows)
    measure(trained, make_spec(), folder, corpus, tmp_path / "out", device="cpu")
    whole = {f"work {number}" for number in range(30, 40)}
    passages = human_passages(corpus, pq.read_table(folder / "samples.parquet"), 0)
    asked = sum(passage.work_id in whole for passage in passages)
    assert 0 < asked < len(passages)
    [met] = [
        row for row in pq.read_table(tmp_path / "out/means.parquet").to_pylist()
        if row["measure"] == "genre_met" and row["writer"] == "human" and row["genre"] is None
    ]  # fmt: skip
    assert met["texts"] == asked


def test_without_genres_the_reason_is_told_and_no_figure_made_up(
    trained, corpus, make_spec, rows_of, write_samples, tmp_path
):
    folder = write_samples(tmp_path / "samples", rows_of([prose(30, n) for n in range(3)]))
    figures = measure(trained, make_spec(), folder, corpus, tmp_path / "out", device="cpu")
    assert figures["genre_classifier"] is None
    assert "has one genre of 10 documents" in figures["genre_reason"]
    measures = {row["measure"] for row in pq.read_table(tmp_path / "out/means.parquet").to_pylist()}
    assert not {"genre_met", "genre_probability"} & measures


def test_the_same_set_is_measured_the_same(
    trained, two_genres, make_spec, rows_of, write_samples, tmp_path
):
    folder = write_samples(tmp_path / "samples", rows_of([prose(30, n) for n in range(6)]))
    tables = []
    for name in ("one", "other"):
        measure(trained, make_spec(), folder, two_genres, tmp_path / name, device="cpu")
        tables.append(pq.read_table(tmp_path / name / "means.parquet"))
    assert tables[0].equals(tables[1])


def test_what_is_interrupted_leaves_nothing(
    trained, two_genres, make_spec, rows_of, write_samples, tmp_path
):
    def interrupt(what, done, total):
        if what == "bits per byte":
            raise KeyboardInterrupt

    folder = write_samples(tmp_path / "samples", rows_of([prose(30, n) for n in range(6)]))
    with pytest.raises(KeyboardInterrupt):
        measure(trained, make_spec(), folder, two_genres, tmp_path / "out",
                device="cpu", report=interrupt)  # fmt: skip
    assert not (tmp_path / "out").exists()


def test_an_empty_set_is_a_clear_error(trained, two_genres, make_spec, write_samples, tmp_path):
    folder = write_samples(tmp_path / "samples", [])
    with pytest.raises(ModelError, match=r"samples.parquet: holds no story"):
        measure(trained, make_spec(), folder, two_genres, tmp_path / "out", device="cpu")


def _text(unit, value, *, writer="model", **figures):
    nothing = dict.fromkeys((*MEANS, *SHARES, "bits"))
    return Measured(
        Group(writer, 1 if writer == "model" else None),
        unit,
        nothing | {"bytes": 100, "distinct_1": value} | figures,
    )


def _row(rows, measure):
    [row] = [row for row in rows if row["measure"] == measure]
    return row


def test_stories_of_many_prompts_are_drawn_by_prompt_and_of_few_by_story():
    values = [0.2, 0.4, 0.5, 0.7, 0.8, 0.9]
    few = means_of([_text(n % 2, value) for n, value in enumerate(values)], 0)
    by_story = intervals.mean(values)
    assert _row(few, "distinct_1")["high"] == by_story.high
    # Three stories each of ten prompts: all three alike, so that there are ten figures, not thirty.
    of_prompt = np.linspace(0.1, 0.9, FEWEST_PROMPTS)
    many = means_of([_text(n, v) for n, v in enumerate(of_prompt) for _ in range(3)], 0)
    by_prompt = intervals.mean(of_prompt)
    assert _row(many, "distinct_1")["low"] == pytest.approx(by_prompt.low)
    assert _row(many, "distinct_1")["texts"] == 30
    # Of people's passages works are drawn, however few.
    of_works = intervals.clustered_share([sum(values[0::2]), sum(values[1::2])], [3, 3])
    human = means_of([_text(f"work {n % 2}", v, writer="human") for n, v in enumerate(values)], 0)
    assert _row(human, "distinct_1")["low"] == pytest.approx(of_works.low)


def test_bits_per_byte_are_of_all_bytes_together_and_a_share_is_never_certain():
    texts = [_text(0, 0.5, bits=300, bytes=100, looping=False),
             _text(1, 0.5, bits=100, bytes=300, looping=False)]  # fmt: skip
    rows = means_of(texts, 0)
    assert _row(rows, "bits_per_byte")["value"] == 400 / 400
    none = _row(rows, "looping")
    assert (none["value"], none["low"]) == (0, 0)
    assert none["high"] == intervals.share(0, 2).high > 0.5
    # Nor is what is a share of each text, where all have the same; their words have none.
    alike = [_text(n, 1.0, repetition=0.0, words=50, writer="human") for n in range(4)]
    rows = means_of(alike, 0)
    assert _row(rows, "distinct_1")["low"] == intervals.share(4, 4).low < 0.6
    assert _row(rows, "repetition")["high"] == intervals.share(0, 4).high
    assert (_row(rows, "words")["value"], _row(rows, "words")["high"]) == (50, None)
    # Ten prompts of three stories each are ten trials.
    many = [_text(n // 3, 0.5, looping=n < 3) for n in range(30)]
    assert _row(means_of(many, 0), "looping")["high"] == intervals.share(1, 10).high
