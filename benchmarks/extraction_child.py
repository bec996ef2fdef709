"""One extractor in a process of its own, for extraction.py: `PYTHON extraction_child.py NAME`.

Reads lines of standard input: `turn` with paths answers the seconds of processor that reading all
of them took; `texts` with paths answers their texts. Files are read before the clock starts, and
each page's first reading, in which Python imports and compiles, is not in the figures.
"""

import json
import sys
import time
from collections.abc import Callable
from pathlib import Path

Extractor = Callable[[bytes, list[str] | None], str]


def ours(body: bytes, sections: list[str] | None) -> str:
    """What a document of Loremill would have of the page, before cleaning."""
    from pipeline.extract.mediawiki import read_article
    from pipeline.extract.piece import NoStoryError

    try:
        return "\n\n".join(piece.text for piece in read_article(body, sections).pieces)
    except NoStoryError:
        return ""


def trafilatura(body: bytes, sections: list[str] | None) -> str:
    """The peer with its defaults; it knows of no sections."""
    import trafilatura as peer

    return peer.extract(body) or ""


def trafilatura_fast(body: bytes, sections: list[str] | None) -> str:
    """The peer without its fallbacks (readability, justext)."""
    import trafilatura as peer

    return peer.extract(body, fast=True) or ""


EXTRACTORS: dict[str, Extractor] = {
    "ours": ours,
    "trafilatura": trafilatura,
    "trafilatura, fast": trafilatura_fast,
}


def main() -> None:
    """Answer each line with a line."""
    extract = EXTRACTORS[sys.argv[1]]
    for line in sys.stdin:
        asked = json.loads(line)
        pages = [(Path(path).read_bytes(), sections) for path, sections in asked["pages"]]
        began = time.process_time()
        texts = [extract(body, sections) for body, sections in pages]
        seconds = time.process_time() - began
        print(
            json.dumps({"seconds": seconds, "texts": texts if asked["texts"] else []}), flush=True
        )


if __name__ == "__main__":
    main()
