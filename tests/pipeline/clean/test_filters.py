"""Each filter keeps stories of every form and drops what is none, with the figure that decided."""

import pytest

from pipeline.clean import FILTERS, Drop, judge
from pipeline.clean.language import in_its_language
from pipeline.clean.layout import laid_out_as_story
from pipeline.clean.length import MINIMUM_WORDS, long_enough
from pipeline.clean.placeholder import tells_something
from pipeline.clean.repetition import not_repetitive
from pipeline.clean.verdict import Story
from pipeline.clean.wording import made_of_words
from tests.pipeline.clean.texts import GERMAN, NAMES, PLAY, PROSE, VERSE, prose

_SIX = range(6)


@pytest.mark.parametrize("text", [PROSE, VERSE, PLAY, NAMES, prose(20_000)])
def test_stories_of_every_form_are_kept(text: str) -> None:
    assert [rule(Story(text, "en")) for rule in FILTERS] == [None] * len(FILTERS)


def test_length() -> None:
    assert long_enough(Story("word " * MINIMUM_WORDS)) is None
    short = "word " * (MINIMUM_WORDS - 1)
    assert long_enough(Story(short)) == Drop("too short", MINIMUM_WORDS - 1)


def test_a_language_without_spaces_is_measured_in_characters() -> None:
    story = (
        "昔々あるところに、おじいさんとおばあさんが住んでいました。"
        "おじいさんは山へ芝刈りに、おばあさんは川へ洗濯に行きました。"
    )
    assert judge(story, "ja") is None
    assert judge(story[:40], "ja") == Drop("too short", 40)


def test_what_is_in_another_language() -> None:
    verdict = in_its_language(Story(GERMAN, "en"))
    assert verdict is not None
    assert verdict.reason == "language is de, not en"
    assert 0.9 <= verdict.figure <= 1
    assert in_its_language(Story(GERMAN, "de")) is None
    assert in_its_language(Story(GERMAN)) is None


@pytest.mark.parametrize(
    "text",
    [
        GERMAN[:190],  # too short to tell
        f"{GERMAN}\n\n{prose(300)}",  # an epigraph
        f"{prose(60)}\n\n{GERMAN * 3}\n\n{prose(90)}",  # a song in the middle
        NAMES,
        VERSE,
        PLAY,
    ],
)
def test_foreign_passages_and_names_do_not_cost_a_story(text: str) -> None:
    assert in_its_language(Story(text, "en")) is None


def test_languages_that_are_alike_or_unknown_are_no_reason() -> None:
    danish = "Fyrvogteren talte sine lamper to gange den aften, og en af dem manglede. " * 4
    assert in_its_language(Story(danish, "nb")) is None
    assert in_its_language(Story(PROSE, "tlh")) is None


@pytest.mark.parametrize(
    ("text", "reason", "figure"),
    [
        ("1901 2.500 77,000 " * 20 + "of the", "words without a letter", 0.968),
        ("a b c d e f g h i j k l m n o p q " * 3, "words too long or too short", 1.0),
        ("antidisestablishmentarianism " * 30, "words too long or too short", 28.0),
        ("Anna Berta Carla Dora Emil Fritz Gustav Heinrich " * 8, "no common words", 0),
    ],
)
def test_what_is_not_made_of_words(text: str, reason: str, figure: float) -> None:
    assert made_of_words(Story(text, "en")) == Drop(reason, figure)


def test_common_words_are_asked_of_english_and_less_of_a_sentence() -> None:
    summary = (
        "When detective Ada Morrow discovers her partner is a spy, she hunts him across three "
        "cities in one night, never knowing who is hunting her."
    )
    assert made_of_words(Story(summary + " The", "en")) is None
    assert made_of_words(Story(GERMAN, "de")) is None


@pytest.mark.parametrize(
    ("text", "reason"),
    [
        ("\n\n".join(f"• Lamp {n} of the road" for n in range(12)), "a list of points"),
        ("\n\n".join(f"The lamp of keeper {n}" for n in range(12)), "a list, not sentences"),
        (
            "\n\n".join(
                f"What did keeper {n} see from the stairs, far out at sea..." for n in _SIX
            ),
            "lines that trail off",
        ),
        ("So # it # goes # on # and # on", "symbols for words"),
        ("if (lamp) { light(); } else { wait(); } for (;;) {}", "brackets of code"),
    ],
)
def test_what_is_not_laid_out_as_a_story(text: str, reason: str) -> None:
    verdict = laid_out_as_story(Story(text, "en"))
    assert verdict is not None
    assert verdict.reason == reason
    assert verdict.figure is not None


def test_verse_needs_no_full_stops_and_a_plot_may_lack_its_last() -> None:
    unended = VERSE.replace(".", "").replace("?", "").replace(",", "")
    assert laid_out_as_story(Story(unended, "en")) is None
    assert laid_out_as_story(Story(PROSE.replace("\n\n", " ").rstrip("."), "en")) is None


def test_placeholders() -> None:
    lorem = "Lorem ipsum dolor sit amet, consectetur adipiscing elit. " * 2
    assert tells_something(Story(lorem)) == Drop("filler text", 2)
    notice = "Please enable JavaScript in your browser to read this page."
    assert tells_something(Story(notice)) == Drop("a notice of scripts", 1)
    assert tells_something(Story(f"{prose(200)} {notice}")) is None
    assert tells_something(Story("He mumbled lorem ipsum and learnt JavaScript.")) is None


def test_a_text_pasted_twice_repeats_in_passages_and_its_paragraphs_in_lines() -> None:
    once = prose(200)
    verdict = not_repetitive(Story(f"{once} {once}"))
    assert verdict is not None
    assert (verdict.reason, round(verdict.figure, 2)) == ("passages repeat", 0.5)
    lines = not_repetitive(Story("\n\n".join([prose(60, 1), prose(60, 2), prose(60, 1)])))
    assert lines is not None
    assert lines.reason == "lines repeat"


def test_the_same_words_again_and_again() -> None:
    spam = " ".join(f"buy lamps {n}" for n in range(40))
    assert not_repetitive(Story(spam)) == Drop("the same 2 words again and again", 0.821)


def test_a_tale_told_in_refrains_stays() -> None:
    """As "Clever Hans" is: a third of it in passages that were told before."""
    told = [
        f"“Where are you going, Wren?” “To Maren, mother.” Wren comes to Maren. “Good day, Maren.” "
        f"“Good day, Wren. What do you bring?” He brings a {gift} that {fate}, and is sent home."
        for gift, fate in [
            ("needle", "he stuck into the hay cart where no one would ever look for it again"),
            ("knife", "went up his sleeve and through the lining and down into the mill pond"),
            ("goat", "hung from his pocket by the horns till it had stopped complaining about it"),
        ]
    ]
    assert judge("\n\n".join(told), "en") is None


def test_refrains_and_speakers_are_no_repetition() -> None:
    chorus = "\n\n".join([VERSE.partition("\n\n")[0]] * 6)
    assert Story(chorus).form == "verse"
    assert not_repetitive(Story(chorus)) is None
    scene = "\n\n".join(f"KEEPER.\nLamp {n}?\n\nFERRYMAN.\nNot lamp {n}, no." for n in range(30))
    assert Story(scene).form == "play"
    assert not_repetitive(Story(scene)) is None
