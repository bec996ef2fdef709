"""A training as Dagster Pipes runs it: `python -m dagster_project.training_child`.

The pipeline knows nothing of Dagster, so this process stands between them: it takes the job from
the Pipes context and reports what happens as it happens. Under torchrun each process takes the job
and the first reports.
"""

import os
import sys
from pathlib import Path

from dagster_pipes import DAGSTER_PIPES_MESSAGES_ENV_VAR, encode_param, open_dagster_pipes

from dagster_project.look import look
from pipeline.model_spec import ModelSpec
from pipeline.training import train
from pipeline.training.distributed import is_first
from pipeline.training.exit_status import exit_status
from pipeline.training.progress import Progress


def main() -> int:
    """Train what the Pipes context describes; the status is exit_status's."""
    if not is_first():
        os.environ[DAGSTER_PIPES_MESSAGES_ENV_VAR] = encode_param({"path": os.devnull})
    with open_dagster_pipes() as pipes:

        def report(progress: Progress) -> None:
            pipes.log.info(str(progress))
            if progress.looked:
                pipes.report_custom_message(look(progress))

        return exit_status(
            lambda: train(
                ModelSpec.model_validate(pipes.get_extra("spec")),
                Path(pipes.get_extra("corpus")),
                Path(pipes.get_extra("folder")),
                device=pipes.get_extra("device"),
                data_version=pipes.get_extra("data_version"),
                report=report,
                tell=pipes.log.info,
            )
        )


if __name__ == "__main__":
    sys.exit(main())
