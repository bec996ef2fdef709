"""A training as Dagster Pipes runs it: `python -m dagster_project.training_child`.

The pipeline knows nothing of Dagster, so this process stands between them: it takes the job from
the Pipes context and reports the loss back as it falls.
"""

import sys
from pathlib import Path

from dagster_pipes import open_dagster_pipes

from pipeline.model_spec import ModelSpec
from pipeline.training import train
from pipeline.training.exit_status import exit_status


def main() -> int:
    """Train what the Pipes context describes; 0 done, 2 bad input, 128 + signal interrupted."""
    with open_dagster_pipes() as pipes:
        return exit_status(
            lambda: train(
                ModelSpec.model_validate(pipes.get_extra("spec")),
                Path(pipes.get_extra("corpus")),
                Path(pipes.get_extra("folder")),
                device=pipes.get_extra("device"),
                data_version=pipes.get_extra("data_version"),
                report=lambda progress: pipes.log.info(str(progress)),
            )
        )


if __name__ == "__main__":
    sys.exit(main())
