"""What lets the asset of perplexity stand, and what has it measured anew."""

import grimp

from dagster_project.story_model.perplexity import MEASURES


def test_it_is_measured_anew_for_the_code_that_decides_it_and_not_for_that_of_the_command():
    graph = grimp.build_graph("pipeline", cache_dir=None)
    decides = graph.find_upstream_modules("pipeline.perplexity.held_out")
    of_perplexity = {name for name in decides if name.startswith("pipeline.perplexity.")}
    assert {name for name in MEASURES if name.startswith("pipeline.perplexity")} == {
        *of_perplexity,
        "pipeline.perplexity.held_out",
    }
    assert "pipeline.perplexity.ngram" in MEASURES
    assert not {"pipeline.perplexity.any_text", "pipeline.perplexity.stream"} & {*MEASURES}
