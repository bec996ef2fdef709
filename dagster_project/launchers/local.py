"""A training as a child process of this machine, which ends with whoever started it."""

import warnings

import dagster as dg

from dagster_project.child import ChildError, KilledError, run_child
from dagster_project.launchers.job import TrainingJob
from dagster_project.launchers.messages import FileReader


def train(context: dg.AssetExecutionContext, job: TrainingJob) -> None:
    """Train in a child, and in another where one ran out of memory and noted a smaller batch.

    Raises ChildError, ModelError.
    """
    from pipeline.training.exit_status import RUN_AGAIN  # it loads torch

    # Dagster warns of its own use of its own preview feature.
    warnings.simplefilter("ignore", dg.PreviewWarning)
    for left in reversed(range(job.spec.training.blocks_a_step)):  # it is halved less often
        try:
            _in_a_child(context, job)
        except ChildError as error:
            if error.status != RUN_AGAIN or not left:
                raise
            context.log.warning(f"{error}. It runs again, in a fresh process.")
        else:
            return


def _in_a_child(context: dg.AssetExecutionContext, job: TrainingJob) -> None:
    from pipeline.training.distributed import visible_gpus

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
        except ChildError as error:
            if error.status == 1:  # a fault of the program: who mends it wants the traceback
                context.log.error("\n".join(error.tail))
            raise


#: What makes a training smaller.
_LIGHTER = (
    "A training needs less with training.batch_size halved and training.gradient_accumulation "
    "doubled, or with training.gradient_checkpointing: it goes on from its last checkpoint then. "
    "Of a base it needs less with lora, too, and begins anew."
)
