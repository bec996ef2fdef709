"""A training as Dagster Pipes runs it: `python -m dagster_project.training_child`.

The pipeline knows nothing of Dagster, so this process stands between them: it takes the job from
the Pipes context and reports the loss back as it falls.
"""

import sys
from pathlib import Path

from dagster_pipes import open_dagster_pipes

from pipeline.corpus import ManifestError
from pipeline.model_spec import ModelError, ModelSpec
from pipeline.training import train
from pipeline.training.interrupts import Interrupted


def main() -> int:
    """Train what the Pipes context describes; 0 done, 2 bad input, 128 + signal interrupted."""
    with open_dagster_pipes() as pipes:
        try:
            train(
                ModelSpec.model_validate(pipes.get_extra("spec")),
                Path(pipes.get_extra("corpus")),
                Path(pipes.get_extra("folder")),
                device=pipes.get_extra("device"),
                data_version=pipes.get_extra("data_version"),
                report=lambda progress: pipes.log.info(str(progress)),
            )
        except (ModelError, ManifestError, OSError) as error:
            print(f"error: {error}", file=sys.stderr)
            return 2
        except Interrupted as interrupted:
            print(interrupted, file=sys.stderr)
            return 128 + interrupted.signum
    return 0


if __name__ == "__main__":
    sys.exit(main())
