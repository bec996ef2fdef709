"""`python -m pipeline.training`: one training, with progress on standard output.

Out of memory with a batch that it picked itself, it becomes a fresh process that goes on with a
smaller one: what an allocator holds after such an error, nobody can have back. Under torchrun,
which starts and ends its processes together, it ends instead.
"""

import argparse
import os
import sys
from pathlib import Path

from pipeline.model_spec import ModelSpec
from pipeline.training import train
from pipeline.training.distributed import processes
from pipeline.training.exit_status import RUN_AGAIN, exit_status


def main(arguments: list[str] | None = None) -> int:
    """Train from the command line; 0 done, 2 bad input, 128 + signal interrupted.

    RUN_AGAIN where one of several processes ran out of memory.
    """
    parser = argparse.ArgumentParser(prog="python -m pipeline.training", description=train.__doc__)
    parser.add_argument("--spec", type=Path, required=True, help="a ModelSpec as JSON")
    parser.add_argument("--corpus", type=Path, required=True, help="folder of a corpus")
    parser.add_argument("--folder", type=Path, required=True, help="where the model goes")
    parser.add_argument("--device", choices=["cuda", "mps", "cpu"], help="default: the best")
    parser.add_argument("--data-version", help="of the corpus, noted in training.json")
    given = parser.parse_args(arguments)

    def run() -> None:
        train(
            ModelSpec.model_validate_json(given.spec.read_text("utf-8")),
            given.corpus,
            given.folder,
            device=given.device,
            data_version=given.data_version,
            report=lambda progress: print(progress, flush=True),
            tell=lambda line: print(line, flush=True),
        )

    status = exit_status(run)
    if status == RUN_AGAIN and processes() == 1:
        print("runs again, in a fresh process", flush=True)
        written = sys.argv[1:] if arguments is None else arguments
        again = [sys.executable, "-m", "pipeline.training", *written]
        os.execv(sys.executable, again)  # noqa: S606 - this program itself
    return status


if __name__ == "__main__":
    sys.exit(main())
