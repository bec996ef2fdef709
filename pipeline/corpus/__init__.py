"""Documents of one or more franchises -> train, validation and test text, every byte traceable.

`build_corpus` makes one, `read_split` reads it back; the modules are in the order of the work:
catalogue, licence_rule, record, split, plan, leak, layout, files, card.
"""

from pipeline.corpus.build import build_corpus, record_sha256
from pipeline.corpus.errors import CorpusError
from pipeline.corpus.files import CorpusDocument, ManifestError, read_split
from pipeline.corpus.leak_check import leaks_in
from pipeline.corpus.record import RECORD
from pipeline.corpus.spec import CorpusConfig

__all__ = [
    "RECORD",
    "CorpusConfig",
    "CorpusDocument",
    "CorpusError",
    "ManifestError",
    "build_corpus",
    "leaks_in",
    "read_split",
    "record_sha256",
]
