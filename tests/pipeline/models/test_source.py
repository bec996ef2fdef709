"""Tokenizers of a hub: pinned to a commit, noted, and a hub that is deaf is asked once."""

import json
import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from transformers import PreTrainedTokenizerBase

COMMIT = "5ea1" * 10
LEARN = """
import sys
from pipeline.model_spec import ModelError, TokenizerSettings
from pipeline.models.tokenizers import SOURCE_COMMIT, learn_tokenizer
try:
    source = TokenizerSettings(source="tales/quay", revision="v1")
    tokenizer = learn_tokenizer(source, [], 64, ["<BOS>", "<EOS>"])
    tokenizer.save_pretrained(sys.argv[1])
    print(len(tokenizer), tokenizer.init_kwargs[SOURCE_COMMIT])
except ModelError as error:
    print(error)
"""


@contextmanager
def hub(files: Path | None) -> Iterator[tuple[str, list[str]]]:
    """A hub with one repository, or a deaf one, and what it was asked for."""
    asked: list[str] = []

    class Hub(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            asked.append(self.path)
            if files is None:
                return  # closes without a word
            content, code = b"", 404
            if self.path.startswith("/api/models/tales/quay/revision/v1"):
                siblings = [{"rfilename": path.name} for path in files.iterdir()]
                content = json.dumps({"id": "tales/quay", "sha": COMMIT, "siblings": siblings})
                content, code = content.encode(), 200
            elif (
                self.path.startswith(f"/tales/quay/resolve/{COMMIT}/")
                and (file := files / self.path.rsplit("/", 1)[1]).is_file()
            ):
                content, code = file.read_bytes(), 200
            self.send_response(code)
            if code == 404:
                self.send_header("X-Error-Code", "EntryNotFound")
            self.send_header("X-Repo-Commit", COMMIT)
            self.send_header("ETag", f'"{len(content)}"')
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            if self.command == "GET":
                self.wfile.write(content)

        do_HEAD = do_GET  # noqa: N815 - as the server asks for it

        def log_message(self, *of: object) -> None:
            pass

    with ThreadingHTTPServer(("127.0.0.1", 0), Hub) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield f"http://127.0.0.1:{server.server_port}", asked
        server.shutdown()


def learned_from(url: str, folder: Path) -> str:
    """What a process of its own says, where nothing was downloaded before."""
    hub = {"HF_HOME": str(folder / "cache"), "HF_ENDPOINT": url, "HF_HUB_OFFLINE": "0"}
    return subprocess.run(
        [sys.executable, "-c", LEARN, str(folder / "tokenizer")],
        env=os.environ | hub,
        capture_output=True,
        text=True,
        check=True,
    ).stdout.strip()


@pytest.mark.slow
def test_a_tokenizer_of_the_hub_is_of_one_commit_which_is_noted(
    tokenizer: PreTrainedTokenizerBase, tmp_path: Path
):
    files = tmp_path / "repository"
    tokenizer.save_pretrained(files)
    with hub(files) as (url, asked):
        told = learned_from(url, tmp_path)
    assert told == f"{len(tokenizer) + 2} {COMMIT}"
    saved = json.loads((tmp_path / "tokenizer" / "tokenizer_config.json").read_text())
    assert saved["source_commit"] == COMMIT
    assert not [path for path in asked if "resolve" in path and COMMIT not in path]


@pytest.mark.slow
def test_a_hub_that_does_not_answer_is_asked_once_for_a_tokenizer(tmp_path: Path):
    with hub(None) as (url, asked):
        told = learned_from(url, tmp_path)
    assert "tokenizer 'tales/quay' cannot be loaded" in told
    assert "learn the tokenizer from the corpus" in told
    assert [path.split("?")[0] for path in asked if "quay" in path] == [
        "/api/models/tales/quay/revision/v1"
    ]
