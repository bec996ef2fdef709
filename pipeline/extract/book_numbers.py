"""The numbers of a book's parts and chapters, as numerals, digits or words.

A contents table may say "I. Nine Bones" and the chapter's heading "CHAPTER THE FIRST": what the two
have in common is the value.
"""

import re

#: A heading's line is no longer than this.
LONGEST_LINE = 100
_CARDINALS = re.findall(
    r"\w+",
    "ONE TWO THREE FOUR FIVE SIX SEVEN EIGHT NINE TEN ELEVEN TWELVE THIRTEEN FOURTEEN FIFTEEN"
    " SIXTEEN SEVENTEEN EIGHTEEN NINETEEN",
)
_ORDINALS = re.findall(
    r"\w+",
    "FIRST SECOND THIRD FOURTH FIFTH SIXTH SEVENTH EIGHTH NINTH TENTH ELEVENTH TWELFTH THIRTEENTH"
    " FOURTEENTH FIFTEENTH SIXTEENTH SEVENTEENTH EIGHTEENTH NINETEENTH",
)
_WORDS = {word: value for words in (_CARDINALS, _ORDINALS) for value, word in enumerate(words, 1)}
_WORDS |= {"TWENTY": 20, "TWENTIETH": 20, "THIRTY": 30, "THIRTIETH": 30}
_NUMBER = (
    rf"(?:[IVXLCDM]+|\d{{1,3}}|(?:THE )?(?:{'|'.join(_ORDINALS)}|TWENTIETH|THIRTIETH|LAST"
    rf"|(?:TWENTY|THIRTY)(?:[- ]\w+)?)|{'|'.join(_CARDINALS)})"
)
#: Keywords by rank: a heading ends all that are of its rank or below.
_RANKS = {
    1: "VOLUME|VOL\\.|BOOK|PART|LIVRE|PARTIE|TEIL|BUCH|ACT|ACTUS",
    2: "CHAPTER|CHAP\\.|STAVE|CANTO|LETTER|SECTION|SCENE|SCENA|SCOENA|EPISODE|TALE|ADVENTURE|FYTTE"
    "|CHAPITRE|KAPITEL|HOOFDSTUK|LETTRE|BRIEF",
}
_NUMBERED = {
    rank: re.compile(
        rf"(?:THE )?(?P<word>{words})\s+(?P<number>{_NUMBER})"
        r"(?:[.:,;\])—–-]|\s*$|\s{2,}|\s+(?=[\"“‘(]?[A-ZÀ-Þ]))"
        rf"|(?P<number_before>{_NUMBER})\.? (?P<word_after>{words})\b\.?\s*$",
        re.IGNORECASE,
    )
    for rank, words in _RANKS.items()
}
#: "Actus Primus. Scoena Prima." of the First Folio.
_LATIN = re.compile(r"(?:Actus \w+|Sc[oæe]+na \w+)\b.{0,30}$", re.IGNORECASE)


def numbered_rank(line: str) -> int | None:
    """The rank of a numbered heading: 1 part or act, 2 chapter or scene; None for other lines."""
    if len(line) > LONGEST_LINE:
        return None
    if _LATIN.match(line):
        return 1 if line.lower().startswith("actus") else 2
    return next((rank for rank, pattern in _NUMBERED.items() if pattern.match(line)), None)


def keyword_number(line: str) -> tuple[str, str, int] | None:
    """Of "CHAPTER IV. A Door" the keyword, the number and where they end; None for other lines."""
    for pattern in _NUMBERED.values():
        if match := pattern.match(line):
            word, number = match["word"], match["number"]
            if word is None:
                word, number = match["word_after"], match["number_before"]
            return word.casefold().rstrip("."), number, match.end()
    return None


def number_value(number: str) -> int | None:
    """XIV, 14, fourteen and "the fourteenth" -> 14; None where it has no value."""
    number = number.upper().removeprefix("THE ")
    tens, _, units = number.replace("-", " ").partition(" ")
    if tens in _WORDS:
        return _WORDS[tens] + _WORDS.get(units, 0)
    return numeral_value(number)


def numeral_value(numeral: str) -> int | None:
    """XIV -> 14, 14 -> 14; None where the letters are no Roman numeral."""
    if numeral.isdigit():
        return int(numeral)
    digits = {"I": 1, "V": 5, "X": 10, "L": 50, "C": 100, "D": 500, "M": 1000}
    values = [digits.get(letter, 0) for letter in numeral]
    total = sum(-a if a < b else a for a, b in zip(values, [*values[1:], 0], strict=True))
    return total if _roman(total) == numeral else None


def _roman(number: int) -> str:
    result = ""
    steps = ((1000, "M"), (900, "CM"), (500, "D"), (400, "CD"), (100, "C"), (90, "XC"), (50, "L"),
             (40, "XL"), (10, "X"), (9, "IX"), (5, "V"), (4, "IV"), (1, "I"))  # fmt: skip
    for value, letters in steps:
        count, number = divmod(number, value)
        result += letters * count
    return result
