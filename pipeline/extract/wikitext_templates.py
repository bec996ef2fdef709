"""Templates that stand in a sentence and carry its words. All others are dropped whole.

An infobox, a navigation box or a maintenance notice is no text, and what an unknown template shows
stands in no dump. The ones here are those that sentences of plots use, on Wikipedia, Fandom and
Bulbapedia; dropping one would leave a hole ("the  ship", "Ash and his "). Sources: English
Wikipedia's Category:Inline templates, Bulbapedia's Help:Template.
"""

from collections.abc import Callable

#: What shows its first unnamed parameter: look, notes on the wording, links to other pages.
_FIRST = """
    nowrap|nobr|no wrap|small|smaller|big|large|larger|huge|em|strong|emphasis|midsize|smallcaps|sc|
    small caps|allcaps|sup|sub|underline|u|strike|s|bold|italic|italics|italic correction|
    center|centre|block indent|quote|blockquote|bq|quotation|poem quote|poemquote|cquote|pquote|
    abbr|abbreviation|abbrlink|tooltip|tt|hover title|visible anchor|vanc|vanchor|
    sic|as written|not a typo|typo|proper name|linktext|ill|interlanguage link|mvar|math|
    bquote|key press|keypress|kbd|nihongo2|nihongo foot|nihongo krt|flag|flagcountry|okina|
    plainlist|
    p|m|a|an|t|i|b|ga|me|obp|tc|ci|si|type|typetemp|cat|ball
"""
#: What shows its last unnamed parameter: a language, a colour or a page stands before it.
_LAST = """
    lang|lang-*|langx|transl|transliteration|translit|tlit|color|colour|font color|fontcolor|
    w|wp|wikipedia|link-interwiki|rtl-lang|dl|pkmn|color2|fgcolor|script|nativename|native name
"""
#: What stands for a sign, where the sign itself would be markup or is hard to type.
_SIGNS = {
    "'": "'", "`": "'", "'s": "'s", "’": "’", '"': '"', "' \"": "' \"", "\" '": "\" '",
    "'\"": "'\"",
    "\"'": "\"'", "'-": "'", "-'": "'", "-": " ", "–": " – ", "—": " — ", "ndash": " – ",
    "mdash": " — ", "snd": " – ", "snds": " – ", "spnd": " – ", "spaced ndash": " – ",
    "spaced en dash": " – ", "mdashb": " — ", "emdash": "—", "em dash": "—",
    "endash": "–", "en dash": "–",
    "nbsp": " ", "space": " ", "spaces": " ", "sp": " ", "thinsp": " ", "hair space": " ",
    "!": "|", "=": "=", "(": "{", ")": "}", "((": "{{", "))": "}}", "...": "...", "…": "…",
    "ellipsis": "...", "·": " · ", "•": " • ", "bull": " • ", "dot": " · ", "middot": " · ",
    "'d": "'d", "pound": "£", "euro": "€", "star": "★", "clear": "", "shy": "", "zwj": "",
}  # fmt: skip
_CURRENCIES = {
    "us$": "US$", "usd": "US$", "au$": "A$", "ca$": "CA$", "£": "£", "gbp": "£", "gbp£": "£",
    "€": "€", "eur": "€", "euro": "€", "¥": "¥", "jpy": "¥", "inr": "₹", "indian rupee": "₹",
}  # fmt: skip
_SHIPS = frozenset(("uss", "hms", "ss", "rms", "hmas", "hmcs", "ms", "mv", "usns", "sms"))


def _names(written: str) -> frozenset[str]:
    return frozenset(" ".join(name.split()) for name in written.split("|"))


_FIRST_NAMES = _names(_FIRST)
_LAST_NAMES = _names(_LAST)


def words(name: str, parameters: Callable[[str], str]) -> str | None:
    """What a template shows in its sentence, in wikitext rendered already; None: no text.

    `parameters` gives the value of "1", "2", … or of a name; "" where there is none.
    """
    name = " ".join(name.replace("_", " ").split()).casefold()
    first = parameters("1").strip()
    if name in _CURRENCIES and first:
        return _CURRENCIES[name] + first
    if name in _SIGNS:  # as entities, so that no sign is taken for markup
        return "".join(c if c.isalnum() or c == " " else f"&#{ord(c)};" for c in _SIGNS[name])
    if name in _SHIPS or name == "ship":
        prefix = first if name == "ship" else name.upper()
        ship = parameters("2" if name == "ship" else "1").strip()
        return f"{prefix} {ship}".strip() if ship else None
    if name in _FIRST_NAMES:
        shown = parameters("lt") or parameters("1") or parameters("text")
        return shown if shown.strip() else None
    if name in _LAST_NAMES or name.startswith("lang-"):
        return _last(parameters)
    match name:
        case "nihongo" | "nihongo title":
            return _glossed(first, [parameters("2"), parameters("3"), parameters("4")], parameters)
        case "nihongo3":
            return _glossed(parameters("3") or first, [parameters("2")], parameters)
        case "convert" | "cvt":
            between = f" {parameters('2')}" if parameters("2") in _RANGES else ""
            rest = parameters("4") if between else parameters("2")
            second = f" {parameters('3')}" if between else ""
            return f"{first}{between}{second} {rest}".strip() or None
        case "frac" | "sfrac" | "fraction":
            parts = [part for n in "123" if (part := parameters(n).strip())]
            return "⁄".join(parts[-2:]) if len(parts) < 3 else f"{parts[0]} {parts[1]}⁄{parts[2]}"
        case "as of":
            return " ".join(["As of", *(part for n in "321" if (part := parameters(n).strip()))])
        case "angbr" | "angle bracket":
            return f"⟨{first}⟩"
        case "circa" | "c." | "ca.":
            return f"c. {first}".strip()
        case "val" | "formatnum" | "nts" | "number":
            return f"{first} {parameters('u')}".strip() or None
    return None


#: Words between two figures of {{convert}}.
_RANGES = frozenset(("to", "-", "–", "and", "or", "x", "by", "to(-)", "and(-)"))


def _last(parameters: Callable[[str], str]) -> str | None:
    shown = [value for n in "12345" if (value := parameters(n).strip())]
    return (shown or [parameters("text").strip()])[-1] or None


def _glossed(main: str, notes: list[str], parameters: Callable[[str], str]) -> str | None:
    """`Rainfall (雨, Ame)`, as Template:Nihongo writes it."""
    inner = ", ".join(note.strip() for note in notes if note.strip())
    after = parameters("5").strip()
    shown = f"{main} ({inner})" if main and inner else main or inner
    return f"{shown} {after}".strip() or None
