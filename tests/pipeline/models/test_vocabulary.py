"""New tokens, rows that pad, rows that are cut, and tokenizers of other models."""

import math
from collections.abc import Callable
from pathlib import Path

import pytest
import torch
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from pipeline.corpus import read_split
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.models.initial import load_initial, load_trained
from pipeline.models.tokenizers import encode
from pipeline.models.vocabulary import (
    check_tokenizer,
    cut_vocabulary,
    pad_vocabulary,
    start_new_tokens,
)

Small = Callable[[str, int, bool], PreTrainedModel]

FAMILIES = [("llama", False), ("llama", True), ("gpt_neox", False), ("phi", False)]


def ids_of(entries: int) -> torch.Tensor:
    return torch.arange(2 * 24).reshape(2, 24) * 7 % entries


@torch.no_grad()
def loss_of(model: PreTrainedModel, ids: torch.Tensor) -> float:
    return float(model(input_ids=ids, labels=ids).loss)


def based_on(folder: Path) -> ModelSpec:
    return ModelSpec(name="m", corpus="c", preset="gpt2", base=str(folder))


def test_control_tokens_leave_the_loss_where_it_was(trained: Path, corpus: Path, lines: Path):
    """On plain text it is the base's, and a genre before a text is no shock to it."""
    base, plain = load_trained(trained / "final")
    model, tokenizer = load_initial(based_on(trained / "final"), lines)
    assert len(tokenizer) == len(plain) + 5  # <BOS>, <EOS>, three genres

    texts = [document.text for document in read_split(corpus, "validation")]
    for text, ids in zip(texts, encode(tokenizer, texts), strict=True):
        start = [plain.bos_token_id, *ids.tolist()][:60]
        before = loss_of(base, torch.tensor([start]))
        # A token of the average logit has no more than an even share: five of 300 here take a
        # hundredth of a nat, of GPT-2's 50,257 they take a ten-thousandth.
        most = math.log1p(5 / len(plain))
        assert 0 <= loss_of(model, torch.tensor([start])) - before < most, text

        begin = tokenizer.convert_tokens_to_ids(["<BOS>", "<fable>"])
        framed = torch.tensor([begin + ids.tolist()[:58]])
        labels = framed.clone()
        labels[:, :2] = -100
        with torch.no_grad():
            first = float(model(input_ids=framed, labels=labels).loss)
        assert first < before + 0.5, text


@pytest.mark.parametrize(("family", "tied"), FAMILIES)
def test_a_new_token_is_the_mean_of_the_others(small: Small, family: str, tied: bool):
    model = small(family, 100, tied)
    old = model.get_input_embeddings().weight[:90].detach().clone()
    out = model.get_output_embeddings().weight[:90].detach().clone()
    state = torch.get_rng_state()
    with torch.no_grad():  # rows without a token may hold anything
        for layer in (model.get_input_embeddings(), model.get_output_embeddings()):
            layer.weight[90:97] = 1e4
    new = [97, 98, 99, 100, 101]  # three rows of the maker's padding, two more
    start_new_tokens(model, new, range(90))
    assert torch.equal(torch.get_rng_state(), state)
    assert model.config.vocab_size == 102
    for layer, before in (
        (model.get_input_embeddings(), old),
        (model.get_output_embeddings(), out),
    ):
        assert torch.equal(layer.weight[:90], before)
        assert torch.allclose(layer.weight[97:], before.mean(0).expand(5, -1), atol=1e-6)
    same = model.get_input_embeddings().weight is model.get_output_embeddings().weight
    assert same == tied


@pytest.mark.parametrize(("family", "tied"), FAMILIES)
def test_padding_changes_no_loss_and_leaves_no_trace(small: Small, family: str, tied: bool):
    ids = ids_of(70)
    plain, padded = small(family, 70, tied), small(family, 70, tied)
    pad_vocabulary(padded, 64)
    assert padded.config.vocab_size == padded.get_output_embeddings().weight.shape[0] == 128
    assert loss_of(padded, ids) == pytest.approx(loss_of(plain, ids), abs=1e-5)
    for model in (plain, padded):
        optimizer = torch.optim.AdamW(model.parameters(), lr=1e-2)
        for _ in range(3):
            optimizer.zero_grad()
            model(input_ids=ids, labels=ids).loss.backward()
            optimizer.step()
    assert loss_of(padded, ids) == pytest.approx(loss_of(plain, ids), abs=1e-4)
    drawn = padded.generate(
        ids[:1, :4], do_sample=True, temperature=9.0, max_new_tokens=50, pad_token_id=0
    )
    assert int(drawn.max()) < 70
    cut_vocabulary(padded, 70)
    assert padded.config.vocab_size == 70
    assert padded.state_dict().keys() == plain.state_dict().keys()
    assert loss_of(padded, ids) == pytest.approx(loss_of(plain, ids), abs=1e-4)


def test_a_vocabulary_that_fits_is_not_padded(small: Small):
    model = small("llama", 128, False)
    pad_vocabulary(model, 64)
    assert model.config.vocab_size == 128
    assert model.get_output_embeddings().bias is None


def save_together(
    model: PreTrainedModel, tokenizer: PreTrainedTokenizerBase, folder: Path
) -> ModelSpec:
    model.save_pretrained(folder)
    tokenizer.save_pretrained(folder)
    return based_on(folder)


def test_a_tokenizer_with_more_entries_than_the_base_is_refused(
    small: Small, tokenizer: PreTrainedTokenizerBase, corpus: Path, tmp_path: Path
):
    spec = save_together(small("llama", 280, False), tokenizer, tmp_path)
    with pytest.raises(ModelError, match=r"another model: it has \d+ entries.* 280 rows; put the"):
        load_initial(spec, corpus)


def test_a_tokenizer_that_uses_little_of_the_base_is_refused(
    small: Small, tokenizer: PreTrainedTokenizerBase, corpus: Path, tmp_path: Path
):
    spec = save_together(small("llama", 900, False), tokenizer, tmp_path)
    with pytest.raises(ModelError, match="leaves most of the model's 900 rows unused"):
        load_initial(spec, corpus)


def test_a_tokenizer_in_which_the_end_is_a_word_is_refused(
    small: Small, tokenizer: PreTrainedTokenizerBase, corpus: Path, tmp_path: Path
):
    model = small("llama", len(tokenizer), False)
    model.config.eos_token_id = 40
    spec = save_together(model, tokenizer, tmp_path)
    with pytest.raises(ModelError, match=r"ends a text with token 40, which is .*eos_token_id in"):
        load_initial(spec, corpus)


def test_padding_by_its_makers_is_no_mark_of_another_tokenizer(
    small: Small, tokenizer: PreTrainedTokenizerBase
):
    model = small("llama", len(tokenizer) + 28, False)
    model.config.eos_token_id = tokenizer.eos_token_id
    check_tokenizer(model, tokenizer, "padded")
