"""Original texts (CC0) of each form, and a way to make prose of any length that never repeats."""

import random

PROSE = (
    "The keeper of the salt road counted her lamps twice that evening, and one of them was "
    "missing. She asked the ferryman, who had seen nothing, and the miller's boy, who had seen "
    "too much.\n\n"
    "“It went up the hill by itself,” said the boy, “with nobody to carry it.”\n\n"
    "So she put on her late husband's coat, took the dog that had never liked her, and climbed. "
    "At the top stood the lamp, burning for a ship that had not been built yet."
)
VERSE = (
    "O who will row me over, row me over,\nO who will row me over to the light?\n"
    "The keeper has gone under, has gone under,\nAnd I must tend the lantern for the night.\n\n"
    "O who will row me over, row me over,\nO who will row me over to the light?\n"
    "The herring have no lantern, have no lantern,\nAnd they have found the harbour in the night."
)
PLAY = (
    "[Enter KEEPER and FERRYMAN.]\n\nKEEPER.\nOne lamp is gone.\n\nFERRYMAN.\nThen there are "
    "six.\n\n"
    "KEEPER.\nI can count, ferryman.\n\nFERRYMAN.\nSo could the last keeper. Look where it "
    "led him:\n"
    "Down all the stairs, and then a few stairs more.\n\nKEEPER.\nHold the dog and be silent.\n\n"
    "FERRYMAN.\nI am the one who is holding still.\n\n[Exeunt.]"
)
GERMAN = (
    "Die Wärterin der Salzstraße zählte an diesem Abend ihre Lampen zweimal, und eine davon "
    "fehlte. "
    "Sie fragte den Fährmann, der nichts gesehen hatte, und den Jungen des Müllers, der zu viel "
    "gesehen hatte. Da zog sie den Mantel ihres Mannes an, nahm den Hund, der sie noch nie hatte "
    "leiden können, und stieg auf den Hügel, auf dem die Lampe stand und für ein Schiff brannte."
)
#: Invented names throughout, as the lore of a franchise has them.
NAMES = (
    "Zarvok of Quel'Mirath swore on the Ixthar Stone that Bulbquill and Snorflax would never enter "
    "Vathoria again. Yet when Droomfang attacked Lorakin Gate, it was Snorflax who held the "
    "bridge, "
    "while Bulbquill used Vine Lash against Ghastrix and Team Morrowgloom fled to Xanthippar."
)

_NOUNS = [
    *("keeper", "lamp", "road", "dog", "miller", "ship", "ferry", "harbour", "stair", "coat"),
    *("hill", "bell", "storm", "oar"),
]
_VERBS = [
    *("counted", "found", "lost", "carried", "followed", "mended", "sold", "hid", "watched"),
    "forgot",
]


def prose(words: int, seed: int = 0) -> str:
    """Sentences of that many words in all, about, drawn anew each time."""
    draw = random.Random(seed)
    told: list[str] = []
    while sum(len(sentence.split()) for sentence in told) < words:
        told.append(
            f"The {draw.choice(_NOUNS)} {draw.choice(_VERBS)} the {draw.choice(_NOUNS)} and the "
            f"{draw.choice(_NOUNS)} of {draw.randrange(10**6)}, so that {draw.choice(_NOUNS)} and "
            f"{draw.choice(_NOUNS)} {draw.choice(_VERBS)} {draw.choice(_NOUNS)}."
        )
    return " ".join(told)
