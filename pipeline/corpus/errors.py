"""What can be wrong with what a corpus is made of."""


class CorpusError(ValueError):
    """A corpus cannot be made of these documents; the message names the place and the remedy."""
