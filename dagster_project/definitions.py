"""Everything Dagster loads: the registry under `corpora/`, with the resources and the executor."""

import os

import dagster as dg

from crawlers.franchise import corpora_folder, data_root
from dagster_project.alerts import alerts, channels
from dagster_project.automation import automate
from dagster_project.crawl_sensor import crawl_failure_sensor
from dagster_project.launchers import training_launcher
from dagster_project.models_page import models_pages
from dagster_project.registry import load_registry
from dagster_project.resources import Crawler, DataStore, Gpu, reports_url


@dg.definitions
def defs() -> dg.Definitions:
    """All assets, checks, jobs, schedules and sensors.

    Raises SpecError naming every mistake in the YAML and in the environment.
    """
    corpora = corpora_folder()
    registry = load_registry(corpora)
    crawls = [(name, spider) for name, it in registry.franchises.items() for spider in it.spiders()]
    return dg.Definitions.merge(
        automate(dg.load_from_defs_folder(path_within_project=corpora)),
        automate(models_pages(registry, corpora)),
        dg.Definitions(
            resources={
                "data": DataStore(root=str(data_root()), reports_url=reports_url(os.environ)),
                "crawler": Crawler(contact=os.environ.get("LOREMILL_CONTACT", "")),
                "gpu": Gpu(device=os.environ.get("LOREMILL_DEVICE", "")),
                "launcher": training_launcher(os.environ),
                "alerts": alerts(os.environ),
            },
            sensors=[crawl_failure_sensor(crawls, running=bool(channels(os.environ)))],
            # A process a step, so that memory and the GPU are free again after each; forked from
            # one that has imported all this already, which saves seconds a step.
            executor=dg.multiprocess_executor.configured(
                {
                    "max_concurrent": 4,
                    "start_method": {
                        "forkserver": {"preload_modules": ["dagster_project.definitions"]}
                    },
                }
            ),
        ),
    )
