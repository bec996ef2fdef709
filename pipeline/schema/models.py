"""What a training and the drawing of stories leave beside the weights."""

import pyarrow as pa

from pipeline.schema.corpus import MANIFEST

#: One row a document that a model was trained on, beside its weights: what a takedown asks for.
TRAINED_ON = pa.schema(
    [
        pa.field("split", pa.string(), nullable=False),  # train; validation, which chose the step
        *(
            MANIFEST.field(name)
            for name in ("doc_id", "franchise", "source", "url", "revision", "title", "licence")
        ),
    ]
)

#: One row a logged step of a training. `loss` is in nats a token; what a row's split does not
#: measure is null: bits per byte are of validation, the columns after it of train.
LOSS = pa.schema(
    [
        pa.field("step", pa.int64(), nullable=False),
        pa.field("split", pa.string(), nullable=False),  # train, validation
        pa.field("loss", pa.float64(), nullable=False),
        pa.field("bits_per_byte", pa.float64()),
        pa.field("learning_rate", pa.float64()),
        pa.field("tokens_per_second", pa.float64()),
        pa.field("mfu", pa.float64()),  # share of the device's peak; null where that is unknown
        pa.field("memory_bytes", pa.int64()),  # the most held so far
        pa.field("seconds", pa.float64()),  # of training so far, earlier sessions included
    ]
)

#: One row a generated text, with all that is needed to generate it again. The schema's metadata has
#: what else decides the bits: versions, device, rows of a pass.
SAMPLES = pa.schema(
    [
        pa.field("model", pa.string(), nullable=False),
        pa.field("sample", pa.int64(), nullable=False),  # its number in the set, from 0
        pa.field("weights", pa.string(), nullable=False),  # sha256 of the checkpoint's safetensors
        pa.field("step", pa.int64(), nullable=False),  # the checkpoint's optimizer step
        pa.field("prompt_index", pa.int32(), nullable=False),
        pa.field("prompt", pa.string(), nullable=False),
        pa.field("genre", pa.string()),  # asked for, as a control token before the prompt
        pa.field("setting", pa.string(), nullable=False),  # the setting's name
        pa.field("temperature", pa.float64(), nullable=False),
        pa.field("top_k", pa.int32(), nullable=False),  # 0: not limited
        pa.field("top_p", pa.float64(), nullable=False),
        pa.field("repetition_penalty", pa.float64(), nullable=False),
        pa.field("max_length", pa.int32(), nullable=False),  # tokens, prompt included
        pa.field("whole_sentences", pa.bool_(), nullable=False),  # cut after the last whole one
        pa.field("include_prompt", pa.bool_(), nullable=False),  # shown with what it goes on from
        pa.field("seed", pa.int64(), nullable=False),
        pa.field("text", pa.large_string(), nullable=False),  # the continuation, prompt left out
        pa.field("tokens", pa.int32(), nullable=False),  # of the continuation
        pa.field("finished", pa.bool_(), nullable=False),  # the model ended the story itself
    ]
)
