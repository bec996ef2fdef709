"""The sensor that alerts when a crawl failed, by its step or a check, or its pages were refused.

It hears of every failed run, those that `dg launch` started too, as long as Dagster's daemon runs
(`dg dev`), and it runs from the start where a channel is configured.
"""

from collections.abc import Iterable, Mapping
from pathlib import Path

import dagster as dg
from dagster._core.executor.child_process_executor import ChildProcessCrashException

from dagster_project.alerts import Alerts, CrawlFailure, Refusal
from dagster_project.components.crawled_pages import pages_key
from dagster_project.crawl_page import (
    ON_DISK,
    crawl_of_run,
    load_outcome,
    without_outcome,
    write_page,
)
from dagster_project.drift_alarm import NO_DRIFT
from dagster_project.resources import DataStore
from pipeline.reports.text import counted, web_link


def crawl_failure_sensor(
    crawls: Iterable[tuple[str, str]], *, running: bool
) -> dg.SensorDefinition:
    """The sensor for these crawls, as (franchise, spider); on from the start if `running`."""
    by_step = {pages_key(*crawl).to_python_identifier(): crawl for crawl in crawls}
    status = dg.DefaultSensorStatus.RUNNING if running else dg.DefaultSensorStatus.STOPPED

    @dg.run_failure_sensor(
        name="crawl_failed",
        description="Alerts by mail, Slack or webhook when a crawl failed or the drift alarm "
        "refused what came of it, as configured by the environment: dagster_project/alerts.py.",
        default_status=status,
        monitor_all_code_locations=True,
    )
    def crawl_failed(context: dg.RunFailureSensorContext, alerts: Alerts, data: DataStore) -> None:
        for failure in failures(context, by_step, alerts, data):
            alerts.send(failure, context.log.error)
        for refusal in refusals(context, alerts):
            alerts.send(refusal, context.log.error)

    return crawl_failed


def failures(
    context: dg.RunFailureSensorContext,
    by_step: Mapping[str, tuple[str, str]],
    alerts: Alerts,
    data: DataStore,
) -> list[CrawlFailure]:
    """The crawls of the run that began and did not succeed."""
    run_id = context.dagster_run.run_id
    events = {event.step_key: event for event in context.get_step_failure_events()}
    stats = context.instance.get_run_step_stats(run_id)
    ended_with = {step.step_key: step.status for step in stats if step.status is not None}
    told = []
    for step, (franchise, spider) in by_step.items():
        event = events.get(step)
        if event is None and (step not in ended_with or ended_with[step].value != "IN_PROGRESS"):
            continue
        if event is None or _has_crashed(event):
            errors, treatment = _killed(context, data, franchise, spider, event)
        else:
            key = pages_key(franchise, spider)
            errors, treatment = _errors(context, key, event), _treatment(context, key, event)
        run = alerts.run_address(run_id)
        told.append(CrawlFailure(franchise, spider, errors, run, treatment))
    return told


def refusals(context: dg.RunFailureSensorContext, alerts: Alerts) -> list[Refusal]:
    """What the drift alarm stopped in the run."""
    run = alerts.run_address(context.dagster_run.run_id)
    told = []
    for event in _events(context, dg.DagsterEventType.ASSET_CHECK_EVALUATION):
        check = event.asset_check_evaluation_data
        if check.check_name == NO_DRIFT and not check.passed:
            page = check.metadata.get("what_changed")
            link = web_link(page.value) if page else None
            errors = (check.description or "it does not hold").split("; ")
            told.append(Refusal(check.asset_key.path[0], errors, run, link))
    return told


def _has_crashed(event: dg.DagsterEvent) -> bool:
    """Whether the step's process ended without a word, as after kill -9."""
    error = event.step_failure_data.error
    return error is not None and error.cls_name == ChildProcessCrashException.__name__


def _killed(
    context: dg.RunFailureSensorContext,
    data: DataStore,
    franchise: str,
    spider: str,
    event: dg.DagsterEvent | None,
) -> tuple[list[str], str | None]:
    """What a crawl left whose process was killed, and the page of it, which it wrote no more."""
    ended_by = [] if event else [context.failure_event.message or "the run ended before the crawl"]
    root = data.pages(franchise, spider).root
    crawl_id = crawl_of_run(root, context.dagster_run.run_id)
    if crawl_id is None:
        return ["the crawl's process was killed before it began; start it again", *ended_by], None
    outcome = load_outcome(root, crawl_id)
    address = None
    try:
        outcome = outcome or without_outcome(Path(data.root), franchise, spider, crawl_id)
        page = write_page(Path(data.root), outcome) if spider not in ON_DISK else None
        address = data.report_url(page.path) if page else None
    except (OSError, ValueError) as error:  # the alert goes out whatever the crawl left
        context.log.error("no page of the crawl %s: %s", crawl_id, error)
    kept = counted(outcome.fetched, "page") if outcome else "what it had fetched"
    said = f"the crawl's process was killed after {kept} (kept); start it again to go on"
    return [said, *ended_by], address


def _errors(
    context: dg.RunFailureSensorContext, key: dg.AssetKey, event: dg.DagsterEvent
) -> list[str]:
    """The crawl's own errors; else the checks that failed; else what ended the step."""
    data = event.step_failure_data
    if data.user_failure_data is not None:
        metadata = data.user_failure_data.metadata
        said = metadata["errors"].value if "errors" in metadata else None
        return str(said or data.user_failure_data.description).splitlines()
    failed = [
        f"{evaluation.check_name}: {line}"
        for record in _events(context, dg.DagsterEventType.ASSET_CHECK_EVALUATION)
        for evaluation in [record.asset_check_evaluation_data]
        if evaluation.asset_key == key and not evaluation.passed
        for line in (evaluation.description or "does not hold").splitlines()
    ]
    message = data.error.message if data.error is not None else "the crawl failed"
    return failed or [message]


def _treatment(
    context: dg.RunFailureSensorContext, key: dg.AssetKey, event: dg.DagsterEvent
) -> str | None:
    """The page that the crawl wrote, if it did."""
    failed = event.step_failure_data.user_failure_data
    metadata = [failed.metadata] if failed is not None else []
    metadata += [
        made.step_materialization_data.materialization.metadata
        for made in _events(context, dg.DagsterEventType.ASSET_MATERIALIZATION)
        if made.asset_key == key
    ]
    addresses = (web_link(said["treatment"].value) for said in metadata if "treatment" in said)
    return next(addresses, None)


def _events(
    context: dg.RunFailureSensorContext, of_type: dg.DagsterEventType
) -> list[dg.DagsterEvent]:
    records = context.instance.get_records_for_run(context.dagster_run.run_id, of_type=of_type)
    events = [record.event_log_entry.dagster_event for record in records.records]
    return [event for event in events if event is not None]
