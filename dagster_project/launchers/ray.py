"""A training as a job of Ray, by dagster-ray's Pipes client; cancelling the run stops the job.

What it says comes back in the job's log. Ray runs the job on a machine with as many free GPUs as
it asks for.
"""

import shlex
import uuid

import dagster as dg
from dagster_ray.core.pipes import PipesRayJobClient, PipesRayJobMessageReader

from dagster_project.child import ChildError
from dagster_project.launchers.job import TrainingJob
from dagster_project.launchers.messages import Observing
from pipeline.model_spec import ModelError


class JobReader(Observing, PipesRayJobMessageReader):  # type: ignore[misc] # not typed
    """From the job's log."""


def train(context: dg.AssetExecutionContext, job: TrainingJob, address: str) -> None:
    """Train in a job. Raises ChildError where it fails, ModelError where none can be started."""
    client = PipesRayJobClient(address=address, message_reader=JobReader(context))
    submission = f"loremill-{uuid.uuid4().hex[:12]}"
    gpus = job.spec.processes if job.device in ("", "cuda") else 0
    done = False
    try:
        client.run(
            context=context,
            extras=job.extras(),
            submit_job_params={
                "entrypoint": shlex.join(["python", *job.arguments()]),
                "submission_id": submission,
                "entrypoint_num_gpus": gpus,
            },
        )
        done = True
    except ConnectionError as error:
        raise ModelError(f"no Ray answers at RAY_ADDRESS={address} ({error})") from error
    except RuntimeError as error:
        raise ChildError(f"the job failed: {error}; its log stands in the run", 1, []) from error
    finally:
        # Dagster's interrupt is one way of several to leave: none may leave the job running.
        if not done and "client" in vars(client):
            client.client.stop_job(submission)
