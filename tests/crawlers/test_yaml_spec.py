"""What a person wrote in YAML, and what is wrong with it."""

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
