"""What a person wrote in YAML, and what is wrong with it."""

import re
from pathlib import Path

import pytest
from pydantic import BaseModel

from crawlers.yaml_spec import SpecError, read_yaml, validate


class Spec(BaseModel):
    title: str


def written(folder: Path, text: str) -> Path:
    path = folder / "defs.yaml"
    path.write_text(text, "utf-8")
    return path


@pytest.mark.parametrize(
    "text", ["a: 1\n---\n", "a: 1\n--- null\n", "---\n~\n---\na: 1\n", "# none\n---\na: 1\n"]
)
def test_empty_documents_are_passed_over(tmp_path: Path, text: str) -> None:
    (document,) = read_yaml(written(tmp_path, text))
    assert document.value == {"a": 1}
    assert document.line(("a",)) == text.splitlines().index("a: 1") + 1


@pytest.mark.parametrize("text", ["type: x\n", "type: x\nattributes:\n", "- type\n"])
def test_what_is_not_there_is_named(tmp_path: Path, text: str) -> None:
    (document,) = read_yaml(written(tmp_path, text))
    with pytest.raises(SpecError, match=r"defs\.yaml:\d: attributes"):
        validate(Spec, document, ("attributes",))


def test_a_repeated_key_is_named_with_its_line(tmp_path: Path) -> None:
    text = "a:\n  - b: 1\n    c: 2\n    b: 3\n---\nd: 1\nd: 1\n"
    with pytest.raises(SpecError) as mistakes:
        read_yaml(written(tmp_path, text))
    assert [line.split(": ", 1)[0].rsplit(":", 1)[1] for line in mistakes.value.mistakes] == [
        "4",
        "7",
    ]
    assert "'b' stands there twice" in mistakes.value.mistakes[0]


@pytest.mark.parametrize(
    ("text", "line", "why"),
    [
        ("a: 1\nb: &x [*x]\n", 2, "alias"),
        ("a: &a [x, x]\nb: &b [*a, *a]\nc: [*b, *b]\n", 2, "alias"),
        ("a: &a {b: 1}\nc:\n  <<: *a\n", 3, "alias"),
        ("a:\n  " + "[" * 3000 + "]" * 3000, 2, "nests more than 50 levels"),
        ("a:\n  checked: 2026-13-45\n", 2, "month must be in 1..12.*in quotes"),
        ("a: 1\nb: 1" + ":59" * 300 + ".0\n", 2, "too large.*in quotes"),
        ("a: 1\nb: 0x_\n", 2, "invalid literal.*in quotes"),
        ("a: !!python/object/apply:os.system [ls]\n", 1, "tag"),
        ("a: \0\n", 1, "is not valid YAML"),
        ("? [a]\n: b\n", 1, "unhashable"),
    ],
)
def test_what_is_no_plain_data_is_told_in_a_line(
    tmp_path: Path, text: str, line: int, why: str
) -> None:
    with pytest.raises(SpecError) as mistakes:
        read_yaml(written(tmp_path, text))
    (mistake,) = mistakes.value.mistakes
    assert "\n" not in mistake
    assert f"defs.yaml:{line}: " in mistake
    assert re.search(why, mistake)


def test_a_licence_nobody_knows_is_a_mistake_for_a_crawl_too(workplace) -> None:
    workplace.franchise("films", {"spider": "wikipedia", "titles": ["A"], "licence": "PD-US"})
    crawl = workplace.crawl("wikipedia", "films")
    assert crawl.status == 2
    assert "'PD-US' is unknown; allowed: CC0-1.0, " in crawl.stderr
