"""A training as a child process of this machine, which ends with whoever started it."""

import warnings

import dagster as dg

from dagster_project.child import ChildError, KilledError, run_child
from dagster_project.launchers.job import TrainingJob
from dagster_project.launchers.messages import FileReader


def train(context: dg.AssetExecutionContext, job: TrainingJob) -> None:
    """Train in a child. Raises ChildError, ModelError."""
    from pipeline.training.distributed import visible_gpus  # it loads torch

    # Dagster warns of its own use of its own preview feature.
    warnings.simplefilter("ignore", dg.PreviewWarning)
    with dg.open_pipes_session(
        context,
        context_injector=dg.PipesEnvContextInjector(),
        message_reader=FileReader(context),
        extras=job.extras(),
    ) as session:
        env = {**session.get_bootstrap_env_vars(), **visible_gpus(job.spec)}
        try:
            run_child(job.arguments(), env, context.log.debug)
        except KilledError as error:
            raise ChildError(f"{error} {_LIGHTER}", error.status, error.tail) from None


#: What makes a training smaller.
_LIGHTER = (
    "A training needs less with a lower training.batch_size (and as much more "
    "training.gradient_accumulation), with training.gradient_checkpointing or, of a base, with "
    "lora; run again and it goes on from its last checkpoint, unless it is another training then."
)
