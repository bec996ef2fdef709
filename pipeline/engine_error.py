"""The error of pipeline/engine.py by itself, for those who catch it without importing Daft."""


class EngineError(RuntimeError):
    """The queries cannot run where they are configured to; the message names the remedy."""
