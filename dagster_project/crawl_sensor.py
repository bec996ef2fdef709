"""The sensor that alerts when a crawl failed: its step, or a check that must hold after it.

It hears of every failed run, those that `dg launch` started too, as long as Dagster's daemon runs
(`dg dev`), and it runs from the start where a channel is configured.
"""

from collections.abc import Iterable, Mapping

import dagster as dg

from dagster_project.alerts import Alerts, CrawlFailure
from dagster_project.components.crawled_pages import pages_key
from pipeline.reports.text import web_link


def crawl_failure_sensor(
    crawls: Iterable[tuple[str, str]], *, running: bool
) -> dg.SensorDefinition:
    """The sensor for these crawls, as (franchise, spider); on from the start if `running`."""
    by_step = {pages_key(*crawl).to_python_identifier(): crawl for crawl in crawls}
    status = dg.DefaultSensorStatus.RUNNING if running else dg.DefaultSensorStatus.STOPPED

    @dg.run_failure_sensor(
        name="crawl_failed",
        description="Alerts by mail, Slack or webhook when a crawl failed, as configured by the "
        "environment: see dagster_project/alerts.py.",
        default_status=status,
        monitor_all_code_locations=True,
    )
    def crawl_failed(context: dg.RunFailureSensorContext, alerts: Alerts) -> None:
        for failure in failures(context, by_step, alerts):
            alerts.send(failure, context.log.error)

    return crawl_failed


def failures(
    context: dg.RunFailureSensorContext, by_step: Mapping[str, tuple[str, str]], alerts: Alerts
) -> list[CrawlFailure]:
    """The crawls of the run that began and did not succeed."""
    run_id = context.dagster_run.run_id
    errors = {event.step_key: event for event in context.get_step_failure_events()}
    stats = context.instance.get_run_step_stats(run_id)
    ended_with = {step.step_key: step.status for step in stats if step.status is not None}
    return [
        CrawlFailure(
            franchise=franchise,
            spider=spider,
            errors=_errors(context, pages_key(franchise, spider), errors.get(step)),
            run=alerts.run_address(run_id),
            treatment=_treatment(context, pages_key(franchise, spider), errors.get(step)),
        )
        for step, (franchise, spider) in by_step.items()
        if step in errors or (step in ended_with and ended_with[step].value == "IN_PROGRESS")
    ]


def _errors(
    context: dg.RunFailureSensorContext, key: dg.AssetKey, event: dg.DagsterEvent | None
) -> list[str]:
    """The crawl's own errors; else the checks that failed; else what ended the run."""
    if event is None:  # its process was killed
        return [context.failure_event.message or "the run ended before the crawl did"]
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
    context: dg.RunFailureSensorContext, key: dg.AssetKey, event: dg.DagsterEvent | None
) -> str | None:
    """The page that the crawl wrote, if it did."""
    failed = event.step_failure_data.user_failure_data if event is not None else None
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
