"""The saved pages of every franchise still give the documents that a person has accepted.

They lie in `corpora/NAME/fixtures/`, written by `loremill fixtures NAME`. Where the extraction was
changed on purpose, read the difference, then `loremill fixtures NAME --accept`.
"""

import pytest

from crawlers.franchise import corpora_folder, load_franchise
from dagster_project.components.franchise import source_rules
from dagster_project.fixtures import compare, load

_FRANCHISES = sorted(path.parent.name for path in corpora_folder().glob("*/fixtures"))


@pytest.mark.parametrize("franchise", _FRANCHISES)
def test_saved_pages_give_what_is_expected(franchise):
    folder = corpora_folder() / franchise / "fixtures"
    assert load(folder), f"{folder} holds no page"
    differences = compare(folder, source_rules(load_franchise(franchise)))
    told = "\n\n".join(difference.diff for difference in differences)
    assert not differences, (
        f"{len(differences)} pages in {folder} give other documents than expected:\n\n{told}\n\n"
        f"if that is right: loremill fixtures {franchise} --accept"
    )
