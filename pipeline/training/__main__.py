"""`python -m pipeline.training`: one training, with progress on standard output."""

import argparse
import sys
from pathlib import Path

from pipeline.model_spec import ModelSpec
from pipeline.training import train
from pipeline.training.exit_status import exit_status


def main(arguments: list[str] | None = None) -> int:
    """Train from the command line; 0 done, 2 bad input, 128 + signal interrupted."""
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

    return exit_status(run)


if __name__ == "__main__":
    sys.exit(main())
