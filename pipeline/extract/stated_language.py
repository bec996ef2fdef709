"""The language that a book says it is in -> its code of ISO 639-1.

Project Gutenberg's headers give the name, in English or in the book's own language, EPUB's
`dc:language` a tag (BCP 47). Both are written by hand for each book and can be relied on; the
`lang` of an HTML page is most often its template's, so nothing is taken from it.
"""

import re

from pipeline.clean.language import same_language

#: Languages in which Project Gutenberg has books (https://www.gutenberg.org/browse/languages/en).
_NAMES = {
    "af": "afrikaans", "ar": "arabic", "bg": "bulgarian", "br": "breton", "ca": "catalan",
    "cs": "czech", "cy": "welsh", "da": "danish dansk", "de": "german deutsch",
    "el": "greek modern-greek", "en": "english", "eo": "esperanto",
    "es": "spanish castilian español", "et": "estonian", "eu": "basque", "fa": "farsi persian",
    "fi": "finnish suomi", "fr": "french français", "fy": "frisian",
    "ga": "irish gaelic", "gl": "galician", "gd": "scots-gaelic", "he": "hebrew", "hi": "hindi",
    "hr": "croatian", "hu": "hungarian magyar", "ia": "interlingua", "id": "indonesian",
    "is": "icelandic", "it": "italian italiano", "ja": "japanese", "ko": "korean", "la": "latin",
    "lt": "lithuanian", "lv": "latvian", "mi": "maori", "ne": "nepali",
    "nl": "dutch nederlands flemish", "no": "norwegian norsk", "oc": "occitan", "pl": "polish",
    "pt": "portuguese português", "ro": "romanian", "ru": "russian", "sa": "sanskrit",
    "sk": "slovak", "sl": "slovenian", "sr": "serbian", "sv": "swedish svenska", "te": "telugu",
    "tl": "tagalog", "tr": "turkish", "uk": "ukrainian", "vi": "vietnamese", "yi": "yiddish",
    "zh": "chinese",
}  # fmt: skip
_CODES = {name: code for code, names in _NAMES.items() for name in names.split()}
#: Codes of ISO 639-2 that EPUBs have in place of the shorter ones.
_CODES |= {
    "eng": "en", "fre": "fr", "fra": "fr", "ger": "de", "deu": "de", "spa": "es", "ita": "it",
    "por": "pt", "dut": "nl", "nld": "nl", "rus": "ru", "lat": "la", "swe": "sv", "dan": "da",
    "nor": "no", "fin": "fi", "pol": "pl", "jpn": "ja", "chi": "zh", "zho": "zh",
}  # fmt: skip
_PARTS = re.compile(r"\s*(?:[,;/&(]|\b(?:and|et|und|y)\b)\s*", re.IGNORECASE)
_TAG = re.compile(r"([a-z]{2})(?:[-_][\w-]{1,30})?$")


def stated_languages(written: str | None) -> tuple[str, ...]:
    """The codes of what a book names, in its order: "English and French" -> en, fr.

    A language that is not known here is left out: what it says cannot be judged by it.
    """
    parts = (part.casefold().strip(" .)") for part in _PARTS.split(written or ""))
    return tuple(dict.fromkeys(code for part in parts if (code := _code(part))))


def _code(part: str) -> str | None:
    tag = _TAG.match(part)
    if tag and tag[1] in _NAMES:
        return tag[1]
    return _CODES.get(part.replace(" ", "-")) or _CODES.get(part.partition("-")[0])


def choose_language(stated: tuple[str, ...], wanted: str) -> str | None:
    """The language of a book for a source whose texts are to be in `wanted`; None: it is another.

    Of several that a book names, one that is wanted suffices; a book that names none is believed to
    be in the source's.
    """
    if not stated:
        return wanted
    return next((code for code in stated if same_language(code, wanted)), None)
