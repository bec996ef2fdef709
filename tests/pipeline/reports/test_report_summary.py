"""What the terminal shows at the end."""

from typing import Any

from pipeline.reports.summary import WIDTH, summary


def test_it_tells_the_figures_of_the_report(made: Any) -> None:
    figures = made.write()
    said = summary(figures, made.root / "samples", report=made.page)
    assert " ".join(said.split()).startswith(" ".join(figures["verdict"].split()))
    assert "8.02 before, 2.31 after" in said
    assert "95 % interval      2.21 to 2.41" in said
    assert "copied               0.80 % (0.40 % to 1.20 %)" in said.replace("\u202f", " ")
    assert "extractable          0.20 % (0.10 % to 0.30 %)" in said.replace("\u202f", " ")
    assert figures["copying_verdict"] in " ".join(said.split())
    assert "3.4 M" in said
    assert said.endswith(f"Report: {made.page}\n")


def test_stories_are_of_the_last_checkpoint_and_drawn_by_seed(made: Any) -> None:
    made.samples = [
        made.sample(step, n, f"Prompt {n}.", f" Told {step}.")
        for n in range(30)
        for step in (100, 200)
    ]
    figures = made.write()
    said = [summary(figures, made.root / "samples", seed=seed) for seed in range(8)]
    assert all("Told 200." in one and "Told 100." not in one for one in said)
    assert all(one.count("Told 200.") == 3 for one in said)
    assert "3 of 30 stories after step 200, drawn with seed 5:" in said[5]
    assert len({one.split("drawn with seed")[1][3:] for one in said}) > 4
    assert said[0] == summary(figures, made.root / "samples", seed=0)


def test_lines_fit_and_nothing_can_steer_the_terminal(made: Any) -> None:
    made.samples = [
        made.sample(
            100,
            0,
            "Once\x1b]0;title\x07",
            " \x1b[2J\x1b[31m" + made.tell(1, 60) + "\x9b\r\b" + "x" * 300,
        )
    ]
    made.name = "demo\x1b[31m"
    made.training["device"]["name"] = "a\x1b[31m device " + "of great length " * 20
    said = summary(made.write(), made.root / "samples")
    assert not [c for c in said if (ord(c) < 32 and c != "\n") or 127 <= ord(c) < 160]
    assert max(len(line) for line in said.splitlines()) <= WIDTH
    assert "[…]" in said


def test_without_samples_the_figures_stand_alone(made: Any) -> None:
    made.samples = []
    said = summary(made.write(), made.root / "samples")
    assert "bits per byte" in said
    assert "stories after" not in said


def test_a_model_that_copies_too_much_is_told_what_to_do(made: Any) -> None:
    advice = "Train for fewer steps: at step 100 it copied 0.4 %."
    made.copying_figures |= {"passed": False, "verdict": "It copies \x1b[2J.", "advice": [advice]}
    said = " ".join(summary(made.write(), made.root / "samples").split())
    assert "It copies [2J." in said
    assert advice in said


def test_a_story_is_told_without_its_prompt_where_that_was_asked(made: Any) -> None:
    made.samples = [made.sample(200, 0, "Once upon a time", "A fox slept.", include_prompt=False)]
    said = summary(made.write(), made.root / "samples")
    assert "A fox slept." in said
    assert "Once upon" not in said
