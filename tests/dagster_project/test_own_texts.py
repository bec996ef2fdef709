"""A folder of one's own texts becomes a model as docs/recipes.md writes it, in a smaller shape."""

import json
import re
from pathlib import Path

import pytest
import yaml

from crawlers.samplesite.grammar.narrator import Teller
from pipeline.artifact import Artifact

_PAGE = Path(__file__).parents[2] / "docs" / "recipes.md"


@pytest.mark.slow
@pytest.mark.timeout(600)
def test_a_folder_of_texts_becomes_a_model(project) -> None:
    (block,) = re.findall(
        r"```yaml\n# corpora/my_series/defs.yaml\n(.*?)```", _PAGE.read_text(), re.S
    )
    franchise, model = yaml.safe_load_all(block)
    model["attributes"] |= {
        "recurrent": {"embedding": 8, "layers": [16, 8]},
        "training": {"epochs": 2, "batch_size": 4, "block_size": 32, "eval_blocks": 4},
    }
    model["attributes"]["samples"] |= {"count": 1, "settings": [{"max_length": 40}]}
    project.write("my_series", yaml.safe_dump(franchise), yaml.safe_dump(model))
    texts = project.folder / "corpora" / "my_series" / "texts"
    (texts / "later").mkdir(parents=True)
    teller = Teller("mystery", "own texts")
    for number in range(12):
        folder = texts / "later" if number > 9 else texts
        told = "\n\n".join(teller.film(12).paragraphs)
        (folder / f"tale_{number}.txt").write_text(told, "utf-8")
    launched = project.launch('+key:"my-series-char-gru/samples"')
    assert launched.returncode == 0, launched.stdout + launched.stderr
    made = Artifact.load(project.data / "models" / "my-series-char-gru")
    assert made is not None
    config = json.loads((made.folder / "final" / "config.json").read_text("utf-8"))
    assert (config["cell"], config["layer_sizes"], config["embedding_size"]) == ("gru", [16, 8], 8)
    drawn = Artifact.load(project.data / "samples" / "my-series-char-gru")
    assert drawn is not None
    assert drawn.figures["stories"] == 1
