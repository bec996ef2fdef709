"""The little English that the grammar needs: tenses, articles, capitals.

Verbs stand in the rules in their base form, so that one sentence serves a plot summary (present
tense) and a novel (past tense).
"""

import re
from enum import Enum


class Tense(Enum):
    """The tense that a whole story is told in."""

    PRESENT = "present"
    PAST = "past"


#: base -> (past, past participle); what is not here is regular.
_IRREGULAR = {
    base: (past, participle or past)
    for base, past, participle in (
        (*line.split(), "")[:3]
        for line in """
        bear bore borne/beat beat beaten/become became become/begin began begun/bend bent/
        bet bet/bind bound/bite bit bitten/bleed bled/blow blew blown/break broke broken/
        bring brought/build built/burn burned/buy bought/cast cast/catch caught/
        choose chose chosen/climb climbed/cling clung/come came come/cost cost/creep crept/
        cut cut/deal dealt/dig dug/do did done/draw drew drawn/drink drank drunk/
        drive drove driven/eat ate eaten/fall fell fallen/feed fed/feel felt/fight fought/
        find found/flee fled/fling flung/fly flew flown/forbid forbade forbidden/
        forget forgot forgotten/forgive forgave forgiven/freeze froze frozen/get got/
        give gave given/go went gone/grow grew grown/hang hung/have had/hear heard/
        hide hid hidden/hit hit/hold held/hurt hurt/keep kept/kneel knelt/know knew known/
        lay laid/lead led/leave left/lend lent/let let/lie lay lain/light lit/lose lost/
        make made/mean meant/meet met/mistake mistook mistaken/overhear overheard/pay paid/
        put put/read read/rebuild rebuilt/ride rode ridden/ring rang rung/rise rose risen/
        run ran run/say said/see saw seen/seek sought/sell sold/send sent/set set/
        shake shook shaken/shine shone/shoot shot/shut shut/sing sang sung/sink sank sunk/
        sit sat/sleep slept/slide slid/speak spoke spoken/spend spent/spread spread/stand stood/
        steal stole stolen/stick stuck/strike struck/swear swore sworn/sweep swept/
        swim swam swum/swing swung/take took taken/teach taught/tear tore torn/tell told/
        think thought/throw threw thrown/understand understood/wake woke woken/wear wore worn/
        weep wept/win won/wind wound/withdraw withdrew withdrawn/write wrote written
        """.replace("\n", "").split("/")
    )
}  # fmt: skip
#: Verbs that double their last letter before -ed.
_DOUBLING = re.compile(
    r"(ad|com|per)mit|bar|beg|clap|compel|confer|dim|drag|drop|flip|grab|hug|jam|knot|nod|occur|pat|pin|"
    r"plan|prefer|quarrel|rebel|refer|regret|rip|rob|scan|shrug|skim|slam|slip|snap|sob|spot|step|"
    r"stir|stop|strip|tap|trap|travel|trip|tug|whip|wrap"
)
_PRESENT = {"be": "is", "have": "has", "do": "does", "can": "can", "will": "will", "may": "may"}
_PAST = {"be": "was", "can": "could", "will": "would", "may": "might"}


def conjugate(verb: str, tense: Tense, plural: bool = False) -> str:
    """The third person of a verb: finds, found; with `plural`, find, found."""
    if tense is Tense.PAST:
        if verb == "be":
            return "were" if plural else "was"
        return _PAST.get(verb) or past_forms(verb)[0]
    if plural:
        return "are" if verb == "be" else verb
    if verb in _PRESENT:
        return _PRESENT[verb]
    if re.search(r"(s|x|z|ch|sh|o)$", verb):
        return verb + "es"
    return verb[:-1] + "ies" if re.search(r"[^aeiou]y$", verb) else verb + "s"


def anterior(verb: str, tense: Tense, plural: bool = False) -> str:
    """What happened before the story's now: left in the present tense, had left in the past."""
    if verb == "be":
        were = "were" if plural else "was"
        return were if tense is Tense.PRESENT else "had been"
    past, participle = past_forms(verb)
    return past if tense is Tense.PRESENT else f"had {participle}"


def past_forms(verb: str) -> tuple[str, str]:
    """Past and past participle."""
    if verb in _IRREGULAR:
        return _IRREGULAR[verb]
    if _DOUBLING.fullmatch(verb):
        form = f"{verb}{verb[-1]}ed"
    elif verb.endswith("e"):
        form = verb + "d"
    elif re.search(r"[^aeiou]y$", verb):
        form = verb[:-1] + "ied"
    else:
        form = verb + "ed"
    return form, form


_ARTICLE = re.compile(r"\b([Aa])n? (?=[“‘]?(\w+))")
#: Spelled with a vowel but spoken with a consonant, and the other way round.
_CONSONANT_SOUND = re.compile(r"(eu|one\b|once\b|uni(?!n|m)|use|usu|ut[ei]|u[sn]a?f?ul)", re.I)
_VOWEL_SOUND = re.compile(r"(hour|heir|honest|honou?r)", re.I)


def tidy(text: str) -> str:
    """Articles that fit, single spaces, one mark at a time, a capital after every full stop."""
    text = _ARTICLE.sub(_article, text)
    text = re.sub(r"\s+", " ", text).strip()
    text = re.sub(r" +([,.;:?!”])", r"\1", text)
    text = re.sub(r",([,.;:?!])", r"\1", text)
    text = re.sub(r"([?!])[.,]", r"\1", text)
    return re.sub(r"(^|[.?!] |\.” )([“‘]?)([a-z])", lambda m: m[1] + m[2] + m[3].upper(), text)


def _article(match: re.Match[str]) -> str:
    word = match[2]
    vowel = word[0].lower() in "aeiou" and not _CONSONANT_SOUND.match(word)
    return match[1] + ("n " if vowel or _VOWEL_SOUND.match(word) else " ")
