r"""How documents stand in the text files: `stream`, `documents` or `lines`.

`stream` parts them by a blank line, for models of characters; `documents` by GPT-2's end-of-text
token on a line of its own; both let the text stand as it is. `lines` writes one story a line for
readers that go by lines, as in Fan et al. 2018 (writing prompts): `<BOS> <genre> story <EOS>`, and
`<BOS> story <EOS>` for a document without genre. There a story's line ends are escaped, every one
that str.splitlines knows, for readers disagree on them; and a control token that stands in a page's
text is written `<EOS\>`, so that no tokenizer that reads the file takes it for one.
"""

import json
import re
import unicodedata
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import get_args

from pipeline.corpus.spec import Layout

BEGIN, END = "<BOS>", "<EOS>"
#: GPT-2's one control token.
END_OF_TEXT = "<|endoftext|>"

_SEPARATORS: Mapping[str, bytes] = {
    "stream": b"\n\n",
    "documents": f"\n{END_OF_TEXT}\n".encode(),
    "lines": b"\n",
}
_GENRE_LENGTH = 32  # characters of a control token's name; genres that differ later share one

#: What stands for what, the backslash first: each later one brings in one that must stay single.
_ESCAPES = {b"\\": b"\\\\", b"\n": b"\\n", b"\r": b"\\r", b"\v": b"\\v", b"\f": b"\\f"} | {
    end.encode(): f"\\u{ord(end):04x}".encode() for end in "\x1c\x1d\x1e\x85\u2028\u2029"
}
_RAW = {escaped: raw for raw, escaped in _ESCAPES.items()}
_ESCAPED = re.compile(rb"\\(?:u[0-9a-f]{4}|.)", re.DOTALL)
_NOWHERE = b"\xff"  # a byte that no UTF-8 has
_CONTROL = re.compile(rb"<[^<>\\\s]+>")


def control_token(genre: str | None) -> str | None:
    """`<science_fiction>` of "Science fiction"; None of no genre, or of one without a letter."""
    name = re.sub(r"\W+", "_", unicodedata.normalize("NFC", genre or "").casefold())
    name = name.strip("_")[:_GENRE_LENGTH].rstrip("_")
    return f"<{name}>" if name else None


@dataclass(frozen=True)
class TextLayout:
    """One of the layouts, with the control tokens that a tokenizer for it must know, in order."""

    name: Layout
    control_tokens: tuple[str, ...] = ()

    @property
    def separator(self) -> bytes:
        """What follows each document."""
        return _SEPARATORS[self.name]

    def around(self, genre: str | None) -> tuple[bytes, bytes]:
        """What stands before and after the text of a document of this genre."""
        if self.name != "lines":
            return b"", b""
        token = control_token(genre)
        return f"{BEGIN} {token} ".encode() if token else f"{BEGIN} ".encode(), f" {END}".encode()

    def escape(self, text: bytes) -> bytes:
        """The UTF-8 text as it stands in the file."""
        if self.name != "lines":
            return text
        for raw, escaped in _ESCAPES.items():
            text = text.replace(raw, escaped)
        for token in {m[0] for m in _CONTROL.finditer(text) if m[0] in self._known}:
            text = text.replace(token, token[:-1] + b"\\>")
        return text

    def unescape(self, body: bytes) -> bytes:
        """The UTF-8 text of what stands in the file."""
        if self.name != "lines":
            return body
        # Of backslashes in a row each pair is one of the text's; what is left are single escapes.
        body = body.replace(b"\\\\", _NOWHERE)
        for escaped in {match[0] for match in _ESCAPED.finditer(body)}:
            body = body.replace(escaped, _RAW.get(escaped, escaped[1:]))
        return body.replace(_NOWHERE, b"\\")

    @cached_property
    def _known(self) -> frozenset[bytes]:
        return frozenset(token.encode() for token in (END_OF_TEXT, *self.control_tokens))

    def metadata(self) -> dict[bytes, bytes]:
        """The layout as a Parquet schema's metadata."""
        return {
            b"layout": self.name.encode(),
            b"control_tokens": json.dumps(self.control_tokens, ensure_ascii=False).encode(),
        }


def make_layout(name: Layout, genres: Iterable[str | None]) -> TextLayout:
    """The layout of this name for a corpus with these genres."""
    if name != "lines":
        return TextLayout(name)
    tokens = {token for genre in genres if (token := control_token(genre))}
    return TextLayout(name, (BEGIN, END, *sorted(tokens)))


def read_layout(metadata: Mapping[bytes, bytes] | None) -> TextLayout:
    """The layout that a schema's metadata names. Raises ValueError where it names none."""
    found = metadata or {}
    for name in get_args(Layout):
        if found.get(b"layout") == name.encode():
            return TextLayout(name, tuple(json.loads(found.get(b"control_tokens", b"[]"))))
    raise ValueError("its metadata names no layout")
