"""A training as Dagster Pipes runs it: `python -m dagster_project.training_child`.

The pipeline knows nothing of Dagster, so this process stands between them: it takes the job from
the Pipes context and reports the loss back as it falls.
"""

import sys
from pathlib import Path

from dagster_pipes import open_dagster_pipes

from pipeline.model_spec import ModelSpec
from pipeline.training import TrainingError, train


def main() -> int:
    """Train what the Pipes context describes; 2 with one line on an error that is the user's."""
    with open_dagster_pipes() as pipes:
        try:
            train(
                ModelSpec.model_validate(pipes.get_extra("spec")),
                Path(pipes.get_extra("corpus")),
                Path(pipes.get_extra("folder")),
                device=pipes.get_extra("device"),
                report=lambda progress: pipes.log.info(str(progress)),
            )
        except TrainingError as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
    return 0


if __name__ == "__main__":
    sys.exit(main())
