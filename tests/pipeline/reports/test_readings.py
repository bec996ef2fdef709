"""A figure is looked up by what it is of; where there is no row there is none, and no error."""

from pipeline.reports.readings import over_steps, reading
from pipeline.schema import QUALITY_MEANS


def test_a_table_without_rows_has_no_figure() -> None:
    assert reading(QUALITY_MEANS.empty_table(), measure="self_bleu", step=10) is None
    assert over_steps(QUALITY_MEANS.empty_table(), measure="self_bleu") == []
