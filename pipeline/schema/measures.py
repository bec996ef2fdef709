"""What is measured of a story model: held-out text, its stories, and what they repeat.

`low` and `high` are the bounds of a 95 % interval (`pipeline.intervals`); null where a figure has
none. The tables of one model, its `works` above all, are what models are compared by.
"""

import pyarrow as pa

from pipeline.schema.corpus import MANIFEST

#: Of a figure: itself and its interval.
_FIGURE = (
    pa.field("value", pa.float64(), nullable=False),
    pa.field("low", pa.float64()),
    pa.field("high", pa.float64()),
)

#: One row a work and source, genre and licence within it, under one scorer: what every figure of
#: the perplexity report is a sum of. `stage`: initial (untrained, or the base), trained, ngram.
WORKS = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("stage", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),  # test; of train a draw, for the gap
        pa.field("work_id", pa.string(), nullable=False),
        pa.field("franchise", pa.string(), nullable=False),
        pa.field("source", pa.string(), nullable=False),
        pa.field("genre", pa.string()),
        pa.field("licence", pa.string(), nullable=False),
        pa.field("documents", pa.int64(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),  # UTF-8
        pa.field("words", pa.int64(), nullable=False),  # runs of non-space characters
        pa.field("tokens", pa.int64()),  # null of a scorer without tokens
        pa.field("nats", pa.float64(), nullable=False),  # summed negative log-likelihood
    ]
)

#: One row a group of text under one scorer; `stage` as in WORKS, or xz.
SCORES = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("stage", pa.string(), nullable=False),
        pa.field("split", pa.string(), nullable=False),
        pa.field("group_by", pa.string(), nullable=False),  # all, franchise, source, genre, licence
        pa.field("group", pa.string(), nullable=False),  # a source as franchise/source
        pa.field("works", pa.int64(), nullable=False),
        pa.field("documents", pa.int64(), nullable=False),
        pa.field("bytes", pa.int64(), nullable=False),
        pa.field("words", pa.int64(), nullable=False),
        pa.field("tokens", pa.int64()),
        pa.field("nats", pa.float64(), nullable=False),
        pa.field("bits_per_byte", pa.float64(), nullable=False),
        pa.field("low", pa.float64()),  # of bits_per_byte, over works
        pa.field("high", pa.float64()),
        pa.field("perplexity_per_token", pa.float64()),
        pa.field("perplexity_per_word", pa.float64(), nullable=False),
    ]
)

#: One row a group and a pair of scorers of the same works: bits per byte of the one less those of
#: the other, so that below 0 the one is better. Resampled in pairs, by work.
DIFFERENCES = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("than", pa.string(), nullable=False),  # a stage of its own, or another model
        pa.field("split", pa.string(), nullable=False),
        pa.field("group_by", pa.string(), nullable=False),
        pa.field("group", pa.string(), nullable=False),
        pa.field("works", pa.int64(), nullable=False),
        *_FIGURE,
    ]
)

#: One row a length of context: the same held-out tokens, each foretold from at most so many before.
CONTEXT = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("context", pa.int64(), nullable=False),  # tokens
        pa.field("tokens", pa.int64(), nullable=False),  # foretold
        pa.field("bytes", pa.int64(), nullable=False),
        pa.field("nats", pa.float64(), nullable=False),
        pa.field("bits_per_byte", pa.float64(), nullable=False),
        pa.field("low", pa.float64()),
        pa.field("high", pa.float64()),
    ]
)

#: One row a sample, of the same number; the prompt is no part of it. Shares are 0 to 1; null where
#: a text is too short for a figure.
QUALITY = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("sample", pa.int64(), nullable=False),
        pa.field("step", pa.int64(), nullable=False),
        pa.field("setting", pa.string(), nullable=False),
        pa.field("characters", pa.int64(), nullable=False),
        pa.field("words", pa.int64(), nullable=False),
        pa.field("distinct_1", pa.float64()),  # distinct n-grams of words / all (Li et al. 2016)
        pa.field("distinct_2", pa.float64()),
        pa.field("distinct_3", pa.float64()),
        pa.field("repetition", pa.float64()),  # seq-rep-4: of words (Welleck et al. 2020)
        pa.field("self_bleu", pa.float64()),  # against three of its step, setting and genre
        pa.field("bits_per_byte", pa.float64()),  # under `judge`
        pa.field("judge", pa.string()),  # the base, or an n-gram model of the corpus
        pa.field("genre", pa.string()),  # asked for
        pa.field("genre_found", pa.string()),  # by the classifier
        pa.field("genre_probability", pa.float64()),  # of the one asked for
        pa.field("empty", pa.bool_(), nullable=False),
        pa.field("looping", pa.bool_(), nullable=False),
    ]
)

#: One row a measure of QUALITY over a group of samples, beside held-out human text of like length:
#: its columns by name, empty, looping and genre_met as shares of texts, bits_per_byte of all bytes.
QUALITY_MEANS = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("writer", pa.string(), nullable=False),  # model, human
        pa.field("step", pa.int64()),  # null: of human text
        pa.field("setting", pa.string()),  # null: of all
        pa.field("genre", pa.string()),  # asked for; null: of all
        pa.field("measure", pa.string(), nullable=False),
        pa.field("texts", pa.int64(), nullable=False),
        *_FIGURE,
    ]
)

#: One row a passage of a sample that stands in the training text: the longest of each sample, and
#: all others of as many words as count as copied. No text: it is the sample's own.
PASSAGES = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("sample", pa.int64(), nullable=False),
        pa.field("step", pa.int64(), nullable=False),
        pa.field("start", pa.int64(), nullable=False),  # characters of the sample's text
        pa.field("end", pa.int64(), nullable=False),
        pa.field("words", pa.int64(), nullable=False),
        pa.field("longest", pa.bool_(), nullable=False),
        pa.field("places", pa.int64(), nullable=False),  # how often it stands in the training text
        *(
            pa.field(name, MANIFEST.field(name).type)  # the first of these places
            for name in (
                *("doc_id", "work_id", "franchise", "source", "url", "revision"),
                *("title", "section", "licence", "attribution_url"),
            )
        ),
    ]
)

#: One row n: of all n-grams of words, the share that does not stand in the training text (RAVEN,
#: McCoy et al. 2023); of samples at a step, and of held-out human text of like length.
NOVELTY = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("writer", pa.string(), nullable=False),  # model, human
        pa.field("step", pa.int64()),  # null: of human text
        pa.field("n", pa.int32(), nullable=False),
        pa.field("ngrams", pa.int64(), nullable=False),
        *_FIGURE,
    ]
)

#: One row a figure of copying at a step. `measure`: copied (share of words in copied passages),
#: longest (words, mean over texts), extractable (share of training passages that the model goes on
#: with token by token, Carlini et al. 2023), extractable_held_out (the same of held-out passages,
#: which it has never seen).
MEMORISATION = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("writer", pa.string(), nullable=False),  # model, human
        pa.field("step", pa.int64()),  # null: of human text
        pa.field("measure", pa.string(), nullable=False),
        pa.field("texts", pa.int64(), nullable=False),  # samples, documents or prefixes
        *_FIGURE,
    ]
)
