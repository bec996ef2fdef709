"""Self-BLEU: how alike the texts of a set are (Texygen, Zhu et al. 2018).

Each text is scored by BLEU-4 against others of its group as references; 1 is a set of one text over
and over. BLEU grows with the number of references, by three times from one to thirty, so every text
of every set has the same number, drawn by a seed: models whose sets are of unlike size and human
text can then be compared.
"""

from collections.abc import Callable, Hashable, Sequence

import numpy as np
from sacrebleu.metrics import BLEU

#: References of a text: as many others as the four stories have that two prompts give by default.
REFERENCES = 3
#: Texts that are scored, at most; those of a larger set are drawn, as many from each group.
TEXTS = 1000
#: Words of a text that are looked at.
WORDS = 1000

#: The words are given; of a text of fewer than four words, its shorter n-grams are what counts.
_BLEU = BLEU(tokenize="none", force=True, effective_order=True)


def self_bleu(
    texts: Sequence[Sequence[str]],
    groups: Sequence[Hashable],
    seed: int,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[float | None]:
    """BLEU-4 of each text, 0 to 1, against REFERENCES others of its group.

    `texts` are given as words. None of a text without words, of one with fewer others in its group,
    and of one that was not drawn. `report` is told the texts scored and their number.
    """
    members: dict[Hashable, list[int]] = {}
    for row, (words, group) in enumerate(zip(texts, groups, strict=True)):
        if words:
            members.setdefault(group, []).append(row)
    enough = [rows for rows in members.values() if len(rows) > REFERENCES]
    rng = np.random.default_rng(seed)
    quota = max(1, TEXTS // max(1, len(enough)))
    drawn = [rng.permutation(rows)[:quota].tolist() for rows in enough]
    total = sum(map(len, drawn))
    joined = {row: " ".join(texts[row][:WORDS]) for rows in enough for row in rows}
    scores: list[float | None] = [None] * len(texts)
    done = 0
    for rows, some in zip(enough, drawn, strict=True):
        for row in some:
            # One more than needed, for the text itself may be among them.
            others = [rows[at] for at in rng.choice(len(rows), REFERENCES + 1, replace=False)]
            others = [other for other in others if other != row][:REFERENCES]
            score = _BLEU.sentence_score(joined[row], [joined[other] for other in others]).score
            scores[row] = float(score) / 100
            done += 1
            report(done, total)
    return scores
