"""How a process that trains ends: what a person must mend in one line, and a status that tells.

128 + signal is what a shell reports of a process that a signal ended, 75 is EX_TEMPFAIL of
sysexits.h: "the user is invited to try again later".
"""

import os
import sys
from collections.abc import Callable

from pydantic import ValidationError

from pipeline.corpus import ManifestError
from pipeline.model_spec import ModelError
from pipeline.training.interrupts import Interrupted
from pipeline.training.out_of_memory import RunAgain

#: Run again, it goes on with a smaller batch.
RUN_AGAIN = os.EX_TEMPFAIL


def exit_status(run: Callable[[], object]) -> int:
    """Run it; 0 done, 2 bad input, RUN_AGAIN, 128 + signal interrupted. Standard error says why.

    Any other exception is a fault of the program and is raised.
    """
    try:
        run()
    except (ModelError, ManifestError, ValidationError, OSError) as error:
        _say(f"error: {error}")
        return 2
    except RunAgain as error:
        _say(f"error: {error}")
        return RUN_AGAIN
    except Interrupted as interrupted:
        _say(str(interrupted))
        return 128 + interrupted.signum
    return 0


def _say(line: str) -> None:
    """In one write, so that the lines of several processes do not run together."""
    sys.stderr.write(f"{line}\n")
