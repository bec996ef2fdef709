"""Self-BLEU: how alike the texts of a set are (Texygen, Zhu et al. 2018).

Each text is scored by BLEU-4 against others of its group as references; 1 is a set of one text over
and over. BLEU grows with the number of references, so every text has the same number, drawn by a
seed: groups of unlike size and human text can then be compared.
"""

from collections import Counter
from collections.abc import Callable, Hashable, Iterable, Sequence

import numpy as np
from sacrebleu.metrics import BLEU

#: References of a text, at most.
REFERENCES = 30
#: Texts that are scored, at most; those of a larger set are drawn, as many from each group.
TEXTS = 1000
#: Words of a text that are looked at.
WORDS = 1000

#: The words are given; of a text of fewer than four words, its shorter n-grams are what counts.
_BLEU = BLEU(tokenize="none", force=True, effective_order=True)


def references_of(groups: Iterable[Hashable]) -> int:
    """How many references each text has: REFERENCES, or as many as the smallest group allows.

    `groups` names the group of each text that has words; of one alone in its group none is asked.
    0 where every text is alone.
    """
    sizes = Counter(groups).values()
    others = [size - 1 for size in sizes if size > 1]
    return min(REFERENCES, *others) if others else 0


def self_bleu(
    texts: Sequence[Sequence[str]],
    groups: Sequence[Hashable],
    references: int,
    seed: int,
    report: Callable[[int, int], None] = lambda done, total: None,
) -> list[float | None]:
    """BLEU-4 of each text, 0 to 1, against `references` others of its group.

    `texts` are given as words. None of a text without words, of one with fewer others in its group,
    and of one that was not drawn. `report` is told the texts scored and their number.
    """
    members: dict[Hashable, list[int]] = {}
    for row, (words, group) in enumerate(zip(texts, groups, strict=True)):
        if words:
            members.setdefault(group, []).append(row)
    enough = [rows for rows in members.values() if references and len(rows) > references]
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
            others = [rows[at] for at in rng.choice(len(rows), references + 1, replace=False)]
            others = [other for other in others if other != row][:references]
            score = _BLEU.sentence_score(joined[row], [joined[other] for other in others]).score
            scores[row] = float(score) / 100
            done += 1
            report(done, total)
    return scores
