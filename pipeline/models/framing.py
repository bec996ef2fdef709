"""How a document stands among tokens: what precedes it and what ends it.

With one end-of-text token, as GPT-2 has it, a document stands between two of them. With a `<BOS>`
of its own it stands as `<BOS> <genre> story <EOS>`, control tokens next to each other: the blanks
that the corpus's line shows between them are no tokens.

A model without an end token is refused, by whatever loads it: it could end no story, and a document
would have no beginning from which its first token could be foretold.
"""

from collections.abc import Mapping
from dataclasses import dataclass

from transformers import PreTrainedTokenizerBase

from pipeline.corpus.layout import control_token
from pipeline.model_spec import ModelError

#: Where a tokenizer's configuration names the genres of its corpus. A base has special tokens of
#: its own, such as `<unk>` and `<pad>`, that look the same and are no genres.
GENRE_TOKENS = "genre_tokens"


@dataclass(frozen=True)
class Frame:
    """The control tokens around a document, by id."""

    start: int  # at which a document begins, in a stream of them: positions restart there
    end: int  # ends a document; the same as `start` where the model has but one such token
    genres: Mapping[str, int]  # by control token, e.g. `<science_fiction>`; empty where none are

    def begin(self, genre: str | None) -> list[int]:
        """What stands before the text of a document of this genre; an unknown genre is left out."""
        token = self.genres.get(control_token(genre) or "")
        return [self.start] if token is None else [self.start, token]

    def asked(self, genre: str | None) -> list[int]:
        """As `begin`. Raises ModelError where a genre is asked for that the model does not know."""
        begin = self.begin(genre)
        if genre is not None and len(begin) == 1:
            known = ", ".join(sorted(token.strip("<>") for token in self.genres))
            remedy = f": {known}; ask for one of them" if known else " none; leave it out"
            raise ModelError(
                f"the genre {genre!r} is not in the model's vocabulary; it knows{remedy}, or "
                "train on a corpus of layout `lines` that has it"
            )
        return begin


def frame_of(tokenizer: PreTrainedTokenizerBase) -> Frame:
    """The frame of a tokenizer: its bos and eos, and the genres that its configuration names.

    Raises ModelError where it has no eos.
    """
    if tokenizer.eos_token_id is None:
        raise ModelError(
            f"the tokenizer{_whose(tokenizer)} has no end-of-text token, and so no story of the "
            "model could end; name one as `eos_token` in its tokenizer_config.json, or choose a "
            "base that has one"
        )
    end = int(tokenizer.eos_token_id)
    start = end if tokenizer.bos_token_id is None else int(tokenizer.bos_token_id)
    named = tokenizer.init_kwargs.get(GENRE_TOKENS, ())
    genres = {token: int(tokenizer.convert_tokens_to_ids(token)) for token in named}
    return Frame(start, end, genres)


def _whose(tokenizer: PreTrainedTokenizerBase) -> str:
    return f" of {tokenizer.name_or_path}" if tokenizer.name_or_path else ""
