"""Models before training: fresh ones, bases, and bases that are refused."""

import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from socketserver import StreamRequestHandler, TCPServer
from threading import Thread

import pytest
import torch
from safetensors.torch import save_file
from transformers import BertConfig, BertForMaskedLM

from pipeline.model_spec import ModelError, ModelSpec
from pipeline.models.initial import load_initial, load_trained
from pipeline.training.checkpoints import export


def based_on(base: str) -> ModelSpec:
    return ModelSpec.model_validate({"name": "m", "corpus": "c", "preset": "gpt2", "base": base})


def test_a_fresh_model_is_the_same_each_time(corpus: Path, make_spec: Callable[..., ModelSpec]):
    one, tokenizer = load_initial(make_spec(), corpus)
    torch.rand(1)  # the state of the global stream plays no part
    two, _ = load_initial(make_spec(), corpus, tokenizer)
    other, _ = load_initial(make_spec({"seed": 1}), corpus, tokenizer)
    assert torch.equal(one.lm_head.weight, two.lm_head.weight)
    assert not torch.equal(one.lm_head.weight, other.lm_head.weight)
    end = tokenizer.eos_token_id
    for config in (one.config, one.generation_config):
        assert (config.bos_token_id, config.eos_token_id, config.pad_token_id) == (end, end, end)
    assert one.config.vocab_size == len(tokenizer)


def test_making_a_model_leaves_the_random_stream_alone(
    corpus: Path, make_spec: Callable[..., ModelSpec]
):
    torch.manual_seed(7)
    undisturbed = torch.rand(3)
    torch.manual_seed(7)
    load_initial(make_spec(), corpus)
    assert torch.equal(torch.rand(3), undisturbed)


def test_a_local_folder_is_a_base(corpus: Path, trained: Path):
    model, tokenizer = load_initial(based_on(str(trained / "final")), corpus)
    assert model.config.vocab_size == len(tokenizer)
    assert next(model.parameters()).dtype == torch.float32


def test_pickled_weights_are_refused(
    corpus: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
):
    model, tokenizer = load_initial(make_spec(), corpus)
    base = tmp_path / "pickled"
    export(model, tokenizer, base)
    (base / "model.safetensors").unlink()
    torch.save(model.state_dict(), base / "pytorch_model.bin")
    with pytest.raises(ModelError, match="no weights in safetensors, and pickled ones are never"):
        load_initial(based_on(str(base)), corpus)


@pytest.mark.parametrize(
    ("taken", "added", "told"),
    [
        (
            "model.safetensors",
            "model.gguf",
            r"model.gguf is no format that can be trained.*safeten",
        ),
        (
            "config.json",
            "adapter_config.json",
            r"has no config.json; it holds adapters only, merge",
        ),
        ("tokenizer*", None, r"has no tokenizer; save the one that the model was trained with"),
    ],
)
def test_what_a_folder_lacks_is_named(
    corpus: Path, trained: Path, tmp_path: Path, taken: str, added: str | None, told: str
):
    base = tmp_path / "base"
    shutil.copytree(trained / "final", base)
    for path in base.glob(taken):
        path.unlink()
    if added is not None:
        (base / added).write_text("{}")
    with pytest.raises(ModelError, match=told):
        load_initial(based_on(str(base)), corpus)


@pytest.mark.parametrize(
    ("name", "content", "told"),
    [
        ("tokenizer.json", "{}", "its tokenizer: KeyError.*Give `base:` a local folder"),
        ("tokenizer.json", '{"a": ', "its tokenizer: .*Give `base:` a local folder"),
        ("tokenizer_config.json", "{", "its tokenizer: JSONDecodeError"),
        ("adapter_config.json", '{"base_model_name_or_path": "BASE"}', "adapters, .*; merge them"),
        ("adapter_config.json", "", "holds adapters, .*; merge them into"),
    ],
)
def test_a_damaged_tokenizer_and_adapters_beside_the_weights_are_named(
    corpus: Path, trained: Path, tmp_path: Path, name: str, content: str, told: str
):
    base = tmp_path / "base"
    shutil.copytree(trained / "final", base)
    (base / name).write_text(content.replace("BASE", str(trained / "final")))
    with pytest.raises(ModelError, match=f"base '{base}'.*{told}"):
        load_initial(based_on(str(base)), corpus)


def test_an_encoder_is_no_base(corpus: Path, trained: Path, tmp_path: Path):
    _, tokenizer = load_trained(trained / "final")
    config = BertConfig(
        vocab_size=len(tokenizer),
        hidden_size=32,
        num_hidden_layers=1,
        num_attention_heads=2,
        intermediate_size=32,
    )
    BertForMaskedLM(config).save_pretrained(tmp_path)
    tokenizer.save_pretrained(tmp_path)
    with pytest.raises(ModelError, match="reads what comes after a token.*as an encoder does"):
        load_initial(based_on(str(tmp_path)), corpus)


def test_a_control_token_of_the_corpus_is_known_to_every_model(
    lines: Path, trained: Path, make_spec: Callable[..., ModelSpec]
):
    recurrent = ModelSpec(name="m", corpus="c", preset="char-lstm")
    for spec in (make_spec(), based_on(str(trained / "final")), recurrent):
        model, tokenizer = load_initial(spec, lines)
        ids = tokenizer.convert_tokens_to_ids(["<BOS>", "<EOS>", "<fable>", "<sea_tale>"])
        assert len(set(ids)) == 4
        assert max(ids) < model.config.vocab_size
        assert (tokenizer.bos_token_id, tokenizer.eos_token_id) == tuple(ids[:2])


def test_damaged_weights_are_named(
    corpus: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
):
    model, tokenizer = load_initial(make_spec(), corpus)
    base = tmp_path / "damaged"
    export(model, tokenizer, base)
    weights = base / "model.safetensors"
    weights.write_bytes(weights.read_bytes()[:1000])
    with pytest.raises(ModelError, match=r"damaged.* cannot be loaded"):
        load_initial(based_on(str(base)), corpus)


def test_weights_that_lack_a_part_are_refused(
    corpus: Path, make_spec: Callable[..., ModelSpec], tmp_path: Path
):
    model, tokenizer = load_initial(make_spec(), corpus)
    base = tmp_path / "partial"
    export(model, tokenizer, base)
    kept = {name: w for name, w in model.state_dict().items() if "h.1." not in name}
    kept.pop("lm_head.weight")  # tied: the same memory as the embedding
    save_file(kept, base / "model.safetensors", metadata={"format": "pt"})
    with pytest.raises(ModelError, match="its weights lack"):
        load_initial(based_on(str(base)), corpus)


LOAD = """
import sys
from pathlib import Path
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.models.initial import load_initial
spec = ModelSpec(name="m", corpus="c", preset="gpt2", base="openai-community/gpt2")
try:
    load_initial(spec, Path(sys.argv[1]))
except ModelError as error:
    print(error)
"""


def said_of_a_hub_base(corpus: Path, **environment: str) -> str:
    """What a process of its own says, where nothing was downloaded before."""
    told = subprocess.run(
        [sys.executable, "-c", LOAD, str(corpus)],
        env=os.environ | {"HF_HOME": str(corpus / "no-cache")} | environment,
        capture_output=True,
        text=True,
        check=True,
    )
    assert told.stderr == ""
    assert "base 'openai-community/gpt2' cannot be loaded" in told.stdout
    return told.stdout


def test_without_a_network_the_alternatives_are_named(corpus: Path):
    told = said_of_a_hub_base(corpus, HF_HUB_OFFLINE="1")
    assert "a local folder" in told
    assert "`size:` for a fresh model" in told


def test_a_hub_that_does_not_answer_is_asked_once(corpus: Path):
    """Its library by itself asks six times for each file, with waits that double."""
    asked = []

    class Deaf(StreamRequestHandler):
        def handle(self) -> None:
            asked.append(self.rfile.readline())  # and closes without a word

    with TCPServer(("127.0.0.1", 0), Deaf) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        host, port = server.server_address[:2]
        said_of_a_hub_base(corpus, HF_ENDPOINT=f"http://{host!s}:{port}", HF_HUB_OFFLINE="0")
        server.shutdown()
    for_the_base = [line.split()[1] for line in asked if b"gpt2" in line]
    assert for_the_base == [b"/api/models/openai-community/gpt2"]
