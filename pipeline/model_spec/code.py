"""Whose code decides the weights: what training.json notes, and what asks for a new training."""

DECIDES_THE_WEIGHTS = (
    "pipeline.training",
    "pipeline.models",
    "pipeline.model_spec",
    "pipeline.device",
    "pipeline.corpus.files",
    "pipeline.corpus.layout",
)
