"""A book's bytes -> text with LF line ends, through every encoding Project Gutenberg has used.

What a header says of its encoding is often wrong (files were converted and headers kept), so the
bytes decide: byte order marks, then strict UTF-8, which text in another encoding hardly ever is by
chance, then the eight-bit encoding in which the accents fall inside words and the quotes around
them. Encodings as listed in Project Gutenberg's File Format FAQ.
"""

import codecs
import re

_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
#: In order of preference where they read equally well. cp1252 holds Latin-1's letters.
_EIGHT_BIT = ("cp1252", "latin-1", "mac_roman", "cp850")
_SAMPLE_BYTES = 1 << 20

_LETTER_IN_WORD = re.compile(r"(?<=[a-z])[à-öø-ÿßœ]|[à-öø-ÿœ](?=[a-z])")
_QUOTE_AT_WORD = re.compile(r"[“‘«](?=\w)|(?<=[\w.,!?])[”’»]|(?<=\w)[—–…]|[—–…](?=\w)")
_IMPLAUSIBLE = re.compile(
    r"(?<=[a-z])[À-ÖØ-ÞŠŽŒŸ](?=[a-z])|[\x80-\x9f]|\w[¬ªº¤¦¶¢£¥§©®±µƒ‡†ˆ˜∂∆∑∏√∞≠≤≥Ω][a-z]|[─-╿▀-▟]"
)


def decode_book(body: bytes) -> str:
    """The text, line ends LF, no byte order mark; undefined bytes become U+FFFD.

    Nor has it the Ctrl-Z by which DOS ended a file.
    """
    text = body.decode(guess_encoding(body), "replace").removeprefix("\ufeff")
    text = text.replace("\0", "").replace("\x1a", "")
    return re.sub(r"\r+\n|\r", "\n", text)


def guess_encoding(body: bytes) -> str:
    """The encoding, as Python names it, that the bytes read best in."""
    for mark, name in _MARKS:
        if body.startswith(mark):
            return name
    sample = body[:_SAMPLE_BYTES]
    if sample.count(0) > len(sample) // 5:  # UTF-16 without a mark: every other byte of ASCII is 0
        return "utf-16-le" if sample[1::2].count(0) >= sample[::2].count(0) else "utf-16-be"
    try:
        body.decode("utf-8")
    except UnicodeDecodeError:
        return max(_EIGHT_BIT, key=lambda name: _plausibility(sample, name))
    return "utf-8"


def _plausibility(sample: bytes, encoding: str) -> int:
    text = sample.decode(encoding, "replace")
    good = len(_LETTER_IN_WORD.findall(text)) + len(_QUOTE_AT_WORD.findall(text))
    return good - 3 * (len(_IMPLAUSIBLE.findall(text)) + text.count("\ufffd"))
