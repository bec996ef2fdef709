"""Recurrent models behind transformers' own Trainer, `generate` and pipelines."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
import torch
from transformers import (
    AutoModelForCausalLM,
    AutoTokenizer,
    PreTrainedTokenizerBase,
    Trainer,
    TrainingArguments,
    pipeline,
)
from transformers.generation.utils import GenerationMixin

from pipeline.model_spec import ModelError, RecurrentShape, TokenizerSettings
from pipeline.models.recurrent import RecurrentForCausalLM, RecurrentState, fresh
from pipeline.models.tokenizers import encode, learn_tokenizer
from pipeline.models.vocabulary import pad_vocabulary

TEXTS = [
    "The lamp went out. Who, asked the miller's daughter, has drunk the oil?",
    "A heron stood on the weir all night and counted the boats that did not come.",
    "Old Brand sold his anvil, bought a fiddle, and was never seen at the forge again.",
]
#: Of unlike widths, two of them alike; with an embedding and without.
SHAPES = [
    RecurrentShape(cell="lstm", layers=[20]),
    RecurrentShape(cell="lstm", embedding=8, layers=[16, 16, 12]),
    RecurrentShape(cell="gru", layers=[12, 20]),
    RecurrentShape(cell="gru", embedding=8, layers=[24, 12]),
]
METHODS: list[dict[str, Any]] = [
    {"do_sample": False},
    {"do_sample": True, "top_p": 0.9, "temperature": 0.8},
    {"do_sample": True, "top_k": 5, "num_return_sequences": 3},
    {"num_beams": 4},
    {"num_beams": 4, "num_return_sequences": 3, "repetition_penalty": 1.2},
    {"num_beams": 3, "do_sample": True},
]


def name(shape: RecurrentShape) -> str:
    return f"{shape.cell}-{shape.embedding}-{'-'.join(map(str, shape.layers))}"


@pytest.fixture(scope="module")
def tokenizer() -> PreTrainedTokenizerBase:
    return learn_tokenizer(TokenizerSettings(kind="characters"), TEXTS, None, ())


@pytest.fixture(scope="module")
def model_of(tokenizer: PreTrainedTokenizerBase) -> Callable[..., RecurrentForCausalLM]:
    """An untrained model whose weights are sharpened, so that its choices are its own."""

    def make(shape: RecurrentShape, dropout: float = 0.0) -> RecurrentForCausalLM:
        torch.manual_seed(5)
        model = fresh(shape, tokenizer, dropout)
        with torch.no_grad():
            for weight in model.parameters():
                weight.mul_(3)
        return model.eval()

    return make


@pytest.fixture(params=SHAPES, ids=name)
def model(
    request: pytest.FixtureRequest, model_of: Callable[..., RecurrentForCausalLM]
) -> RecurrentForCausalLM:
    return model_of(request.param)


@pytest.fixture(scope="module")
def prompts(tokenizer: PreTrainedTokenizerBase) -> dict[str, torch.Tensor]:
    """Three of unlike length, padded on the left."""
    tokenizer.padding_side = "left"
    return dict(tokenizer(["The", "A heron stood", "Old Br"], padding=True, return_tensors="pt"))


def test_the_hook_that_keeps_generate_from_a_cache_of_its_own_is_still_asked(
    model: RecurrentForCausalLM,
):
    """It is private to transformers: should it go, a DynamicCache would reach `forward`."""
    assert GenerationMixin._supports_default_dynamic_cache.__func__(GenerationMixin) is True
    assert model._supports_default_dynamic_cache() is False
    given = []
    model.register_forward_pre_hook(
        lambda _, __, inputs: given.append(inputs.get("past_key_values")), with_kwargs=True
    )
    model.generate(torch.tensor([[5, 6]]), max_new_tokens=4, min_new_tokens=4, do_sample=False)
    assert given[0] is None
    assert [type(cache) for cache in given[1:]] == [RecurrentState] * 3
    with pytest.raises(ValueError, match="stateful"):  # it cannot take tokens back
        model.generate(torch.tensor([[5, 6]]), max_new_tokens=4, assistant_model=model)


@pytest.mark.parametrize("method", METHODS, ids=str)
def test_generation_with_the_state_is_that_without(
    model: RecurrentForCausalLM, prompts: dict[str, torch.Tensor], method: dict[str, Any]
):
    drawn = []
    for use_cache in (True, False):
        torch.manual_seed(1)
        drawn.append(model.generate(**prompts, max_new_tokens=12, use_cache=use_cache, **method))
    assert torch.equal(*drawn)
    assert len(set(map(tuple, drawn[0].tolist()))) > 1


@pytest.mark.parametrize("method", [METHODS[0], METHODS[3]], ids=str)
def test_padding_on_the_left_changes_nothing(
    model: RecurrentForCausalLM,
    prompts: dict[str, torch.Tensor],
    tokenizer: PreTrainedTokenizerBase,
    method: dict[str, Any],
):
    together = model.generate(**prompts, max_new_tokens=12, min_new_tokens=12, **method)
    width = prompts["input_ids"].shape[1]
    for row, mask in enumerate(prompts["attention_mask"].bool()):
        alone = model.generate(
            prompts["input_ids"][row : row + 1, mask],
            max_new_tokens=12,
            min_new_tokens=12,
            **method,
        )
        assert torch.equal(together[row, width:], alone[0, int(mask.sum()) :])


def test_masked_tokens_leave_no_trace_wherever_they_stand(model: RecurrentForCausalLM):
    stream = torch.Generator().manual_seed(0)
    ids = torch.randint(5, 30, (4, 9), generator=stream)
    mask = torch.tensor(
        [
            [0, 0, 0, 1, 1, 1, 1, 1, 1],
            [1, 1, 1, 1, 1, 0, 0, 0, 0],
            [1, 0, 0, 1, 1, 0, 1, 1, 0],
            [0, 0, 0, 0, 0, 0, 0, 0, 0],
        ]
    )
    before = model(ids[:, :3], use_cache=True).past_key_values
    found = model(ids, attention_mask=mask, past_key_values=before, use_cache=True)
    assert found.past_key_values.get_seq_length() == 12
    for row in range(3):
        real = mask[row].bool()
        alone = model(torch.cat([ids[row, :3], ids[row, real]])[None], use_cache=True)
        torch.testing.assert_close(found.logits[row, real], alone.logits[0, 3:])
        for ours, its in zip(
            found.past_key_values.states, alone.past_key_values.states, strict=True
        ):
            for part, expected in zip(ours, its, strict=True):
                torch.testing.assert_close(part[:, row], expected[:, 0])
    for ours, its in zip(found.past_key_values.states, before.states, strict=True):
        assert all(torch.equal(a[:, 3], b[:, 3]) for a, b in zip(ours, its, strict=True))


def test_a_state_goes_on_more_than_once(model: RecurrentForCausalLM):
    """What begins alike need be read but once: going on does not use the state up."""
    ids = torch.tensor([[7, 8, 9, 10, 11]])
    whole = model(ids).logits
    state = model(ids[:, :2], use_cache=True).past_key_values
    for _ in range(2):
        torch.testing.assert_close(
            model(ids[:, 2:], past_key_values=state).logits, whole[:, 2:], rtol=1e-4, atol=1e-5
        )


def test_the_loss_is_that_of_every_causal_lm(
    model: RecurrentForCausalLM, tokenizer: PreTrainedTokenizerBase
):
    ids = torch.randint(5, 30, (3, 9), generator=torch.Generator().manual_seed(0))
    labels = ids.clone()
    labels[0, 4:] = -100
    output = model(ids, labels=labels, use_cache=False)
    assert output.logits.dtype == torch.float32
    assert output.past_key_values is None
    losses = torch.nn.functional.cross_entropy(
        output.logits[:, :-1].flatten(0, 1), labels[:, 1:].flatten(), reduction="none"
    )
    scored = labels[:, 1:].flatten() != -100
    torch.testing.assert_close(output.loss, losses[scored].mean())
    shared = model(ids, labels=labels, num_items_in_batch=torch.tensor(100)).loss
    torch.testing.assert_close(shared, losses[scored].sum() / 100)
    assert torch.equal(
        model(ids, position_ids=torch.zeros_like(ids)).logits, output.logits
    )  # order is all it knows
    torch.testing.assert_close(model(ids, logits_to_keep=2).logits, output.logits[:, -2:])


def test_every_weight_learns_and_dropout_is_between_layers(
    model_of: Callable[..., RecurrentForCausalLM],
):
    for shape in SHAPES:
        model = model_of(shape, dropout=0.5).train()
        ids = torch.randint(5, 30, (2, 9), generator=torch.Generator().manual_seed(0))
        first, second = model(ids, labels=ids), model(ids, labels=ids)
        assert first.loss != second.loss
        first.loss.backward()
        for weight_name, weight in model.named_parameters():
            assert weight.grad is not None, weight_name
            assert weight.grad.abs().sum() > 0, weight_name
        model.eval()
        assert model(ids, labels=ids).loss == model(ids, labels=ids).loss


def test_gradients_reach_back_through_a_carried_state(model: RecurrentForCausalLM):
    ids = torch.randint(5, 30, (2, 12), generator=torch.Generator().manual_seed(0))
    whole = torch.autograd.grad(model(ids).logits[:, -1].square().sum(), list(model.parameters()))
    state = model(ids[:, :7], use_cache=True).past_key_values
    parted = model(ids[:, 7:], past_key_values=state).logits[:, -1].square().sum()
    for ours, its in zip(torch.autograd.grad(parted, list(model.parameters())), whole, strict=True):
        torch.testing.assert_close(ours, its, rtol=1e-3, atol=1e-4)


def test_it_begins_as_recurrent_models_should(tokenizer: PreTrainedTokenizerBase):
    shape = RecurrentShape(cell="lstm", embedding=30, layers=[40, 40])
    torch.manual_seed(0)
    model = fresh(shape, tokenizer, 0.0)
    (stack,) = model.stacks
    for weight_name, weight in stack.named_parameters():
        if weight_name.startswith("weight_hh"):
            for gate in weight.split(40):
                torch.testing.assert_close(gate @ gate.T, torch.eye(40), rtol=0, atol=1e-5)
        elif weight_name.startswith("bias_ih"):
            expected = torch.zeros(160)
            expected[40:80] = 1  # PyTorch's order: input, forget, cell, output
            assert torch.equal(weight, expected)
        elif weight_name.startswith("bias_hh"):
            assert not weight.any()
    ids = torch.tensor([[5, 6, 7, 8, 9, 10]])
    even = float(np.log(len(tokenizer)))
    assert model(ids, labels=ids).loss.item() == pytest.approx(even, abs=0.7)


def test_a_saved_folder_loads_after_one_import(
    model: RecurrentForCausalLM, tokenizer: PreTrainedTokenizerBase, tmp_path: Path
):
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    assert sorted(p.name for p in tmp_path.glob("*") if p.suffix != ".json") == [
        "model.safetensors"
    ]
    again = AutoModelForCausalLM.from_pretrained(tmp_path)
    ids = torch.tensor([[5, 6, 7, 8]])
    torch.testing.assert_close(again(ids).logits, model(ids).logits)
    for (ours, weight), (its, other) in zip(
        model.named_parameters(), again.named_parameters(), strict=True
    ):
        assert ours == its
        assert torch.equal(weight, other)
    assert AutoTokenizer.from_pretrained(tmp_path)("heron")["input_ids"] == [
        *map(int, encode(tokenizer, ["heron"])[0])
    ]


def test_another_process_loads_it_after_one_import(
    model_of: Callable[..., RecurrentForCausalLM],
    tokenizer: PreTrainedTokenizerBase,
    tmp_path: Path,
):
    model = model_of(SHAPES[1])
    model.save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    code = (
        "import json, sys, pipeline.models.recurrent\n"
        "from transformers import AutoModelForCausalLM, AutoTokenizer\n"
        "tokenizer = AutoTokenizer.from_pretrained(sys.argv[1])\n"
        "model = AutoModelForCausalLM.from_pretrained(sys.argv[1])\n"
        "ids = tokenizer('A heron', return_tensors='pt')\n"
        "print(json.dumps(model.generate(**ids, max_new_tokens=9, do_sample=False)[0].tolist()))\n"
    )
    found = subprocess.run(
        [sys.executable, "-c", code, str(tmp_path)], capture_output=True, check=True, timeout=120
    )
    ids = tokenizer("A heron", return_tensors="pt")
    expected = model.generate(**ids, max_new_tokens=9, do_sample=False)[0].tolist()
    assert json.loads(found.stdout) == expected


def test_weights_that_lie_in_one_piece_are_saved_whole(model: RecurrentForCausalLM, tmp_path: Path):
    """cuDNN wants a layer's weights as views of one buffer, which safetensors refuses to share."""
    ids = torch.tensor([[5, 6, 7, 8]])
    expected = model(ids).logits
    for stack in model.stacks:
        weights = list(stack.parameters())
        buffer = torch.cat([weight.detach().flatten() for weight in weights])
        pieces = buffer.split([weight.numel() for weight in weights])
        for weight, piece in zip(weights, pieces, strict=True):
            weight.data = piece.view_as(weight)
        assert len({weight.untyped_storage().data_ptr() for weight in stack.parameters()}) == 1
    model.save_pretrained(tmp_path)
    again = AutoModelForCausalLM.from_pretrained(tmp_path)
    torch.testing.assert_close(again(ids).logits, expected)
    for weight, saved in zip(model.parameters(), again.parameters(), strict=True):
        assert torch.equal(weight, saved)


@pytest.mark.parametrize("shape", [SHAPES[1], SHAPES[2]], ids=name)
def test_the_text_generation_pipeline_tells_stories(
    shape: RecurrentShape,
    model_of: Callable[..., RecurrentForCausalLM],
    tokenizer: PreTrainedTokenizerBase,
    tmp_path: Path,
):
    model_of(shape).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    tell = pipeline("text-generation", model=str(tmp_path), device="cpu")
    settings = {
        "max_length": 40,
        "do_sample": True,
        "repetition_penalty": 1.2,
        "temperature": 0.8,
        "top_p": 0.9,
        "top_k": 20,
    }
    torch.manual_seed(2)
    (first,), (second,) = tell(["A heron", "The lamp went"], batch_size=2, **settings)
    assert first["generated_text"].startswith("A heron")
    assert second["generated_text"].startswith("The lamp went")
    torch.manual_seed(2)
    drawn = tell("A heron", num_return_sequences=3, return_tensors=True, **settings)
    ids = [tuple(story["generated_token_ids"]) for story in drawn]
    assert len(set(ids)) == 3
    prompt = tokenizer("A heron")["input_ids"]
    for story in ids:
        assert list(story[: len(prompt)]) == prompt
        assert len(prompt) < len(story) <= 40
    uncached = tell("A heron", max_length=40, do_sample=False, use_cache=False)
    assert tell("A heron", max_length=40, do_sample=False) == uncached


def test_frozen_vectors_stay_and_others_learn(tokenizer: PreTrainedTokenizerBase, tmp_path: Path):
    shape = RecurrentShape(cell="lstm", embedding=6, layers=[10])
    vectors = np.random.default_rng(0).normal(size=(len(tokenizer), 6)).astype(np.float32)
    ids = torch.randint(5, 30, (4, 12), generator=torch.Generator().manual_seed(0))

    def learned(model: RecurrentForCausalLM) -> np.ndarray:
        return model.embed_tokens.weight.detach().numpy()[: len(vectors)]

    for frozen in (True, False):
        model = fresh(shape, tokenizer, 0.0, vectors, frozen)
        pad_vocabulary(model, 64)
        assert np.array_equal(learned(model), vectors)
        arguments = TrainingArguments(
            str(tmp_path / str(frozen)), max_steps=3, use_cpu=True, report_to="none",
            save_strategy="no", disable_tqdm=True, learning_rate=0.1,
        )  # fmt: skip
        rows = [{"input_ids": row, "labels": row} for row in ids]
        Trainer(model=model, args=arguments, train_dataset=rows).train()
        assert np.array_equal(learned(model), vectors) == frozen
        model.save_pretrained(tmp_path / "saved")
        again = AutoModelForCausalLM.from_pretrained(tmp_path / "saved")
        assert torch.equal(again.embed_tokens.weight, model.embed_tokens.weight)


def test_vectors_of_another_width_are_refused(tokenizer: PreTrainedTokenizerBase):
    shape = RecurrentShape(cell="lstm", embedding=6, layers=[10])
    with pytest.raises(ModelError, match=r"shape \(3, 5\) do not fit.*recurrent.embedding 6"):
        fresh(shape, tokenizer, 0.0, np.zeros((3, 5), np.float32))
