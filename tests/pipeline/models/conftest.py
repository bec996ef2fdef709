"""Tiny causal LMs of other families than GPT-2, built on the spot, and texts in lines by genre."""

from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import AutoConfig, AutoModelForCausalLM, PreTrainedModel, PreTrainedTokenizerBase

from pipeline.model_spec import TokenizerSettings
from pipeline.models.tokenizers import learn_tokenizer
from tests.corpus_files import row, write_files
from tests.pipeline.conftest import story


@pytest.fixture(scope="session")
def tokenizer() -> PreTrainedTokenizerBase:
    """A byte-level BPE of the stories."""
    return learn_tokenizer(TokenizerSettings(vocabulary=300), map(story, range(60)), 64)


def _small(family: str, entries: int, tied: bool) -> PreTrainedModel:
    config = AutoConfig.for_model(
        family,
        vocab_size=entries,
        hidden_size=32,
        num_hidden_layers=2,
        num_attention_heads=2,
        num_key_value_heads=2,
        intermediate_size=64,
        max_position_embeddings=64,
        tie_word_embeddings=tied,
        **dict.fromkeys(("bos_token_id", "eos_token_id", "pad_token_id")),
    )
    with torch.random.fork_rng():
        torch.manual_seed(0)
        model = AutoModelForCausalLM.from_config(config)
    with torch.no_grad():  # so that what is attended to shows in the logits
        for weight in model.parameters():
            if weight.dim() > 1:
                weight *= 5
    return model.eval()


@pytest.fixture(scope="session")
def small() -> Callable[[str, int, bool], PreTrainedModel]:
    """A model of this family, entries and tied or untied output, of large random weights."""
    return _small


@pytest.fixture(scope="session")
def lines(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A corpus of lines: thirty stories to learn and six to watch, of three genres and none."""
    genres = ["fable", "drama", None, "sea tale"]
    rows = [row(n, story(n), genre=genres[n % 4]) for n in range(36)]
    folder = tmp_path_factory.mktemp("corpora") / "lines"
    folder.mkdir()
    write_files(folder, {"train": rows[:30], "validation": rows[30:], "test": []}, "lines")
    return folder
