"""What extraction is told of each source, as its franchise's YAML has it."""

from crawlers.franchise import FranchiseSpec
from dagster_project.components.franchise import source_rules


def test_a_source_has_its_own_genre_and_language_or_the_franchises() -> None:
    sources = [
        {"spider": "gutenberg", "books": [1]},
        {"spider": "files", "path": "a", "licence": "CC0-1.0", "language": "fr", "genre": "myth"},
    ]
    spec = FranchiseSpec.model_validate(
        {"title": "Lamps", "language": "de", "genre": "fable", "sources": sources}
    )
    rules = source_rules(spec)
    assert {name: (rule.language, rule.genre) for name, rule in rules.items()} == {
        "gutenberg": ("de", "fable"),
        "files": ("fr", "myth"),
    }
