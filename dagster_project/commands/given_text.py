"""The text that a person gives a command: a file, standard input or a pipe.

What can be read but once is kept aside, so that every command reads a text in the same way, in as
many goes as it needs, and says the same of a mistake in it.
"""

import shutil
import sys
from contextlib import ExitStack
from pathlib import Path
from tempfile import TemporaryDirectory

from pipeline.text_file import TextFile

_STDIN = "standard input"


def given_text(name: str, stack: ExitStack) -> TextFile:
    """The text of this name, `-` for standard input; what was kept aside goes with `stack`.

    Raises OSError where a pipe cannot be read.
    """
    path = Path(name).expanduser()
    if name != "-" and (path.is_file() or path.is_dir() or not path.exists()):
        return TextFile(name, path)
    aside = Path(stack.enter_context(TemporaryDirectory(prefix="loremill-"))) / "text"
    with aside.open("wb") as file:
        if name == "-":
            shutil.copyfileobj(sys.stdin.buffer, file)
        else:  # a pipe
            with path.open("rb") as piped:
                shutil.copyfileobj(piped, file)
    return TextFile(_STDIN if name == "-" else name, aside)
