"""A crawl that failed is told by every channel that is set, and no secret is told with it."""

import json
import logging
import socket
import sys
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime
from email import message_from_bytes
from email.message import Message
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread
from typing import Any

import dagster as dg
import pyarrow as pa
import pyarrow.parquet as pq
import pytest
from aiosmtpd.controller import Controller
from dagster import DefaultSensorStatus
from dagster._core.execution.plan.objects import StepFailureData
from dagster._core.executor.child_process_executor import ChildProcessCrashException
from dagster._utils.error import serializable_error_info_from_exc_info

from crawlers.outcome import requests_path
from crawlers.page import Page
from crawlers.samplesite import SampleSites
from crawlers.samplesite.markup import Dialect
from crawlers.store.journal import Journal
from crawlers.store.page_store import pages_root
from crawlers.yaml_spec import SpecError
from dagster_project.alerts import AlertError, Alerts, CrawlFailure, alerts, channels
from dagster_project.crawl_page import name_crawl
from dagster_project.resources import Crawler
from pipeline.schema import PAGES, REQUESTS

_PAGES = "keepers/bulbapedia_pages"
_FAILURE = CrawlFailure(
    "keepers", "bulbapedia", ["the site is down; try later"], "http://ui/runs/1", "http://page"
)


@dataclass
class Webhook:
    """A real server that notes what is posted to it."""

    address: str = ""
    status: int = 200
    bodies: list[Any] = field(default_factory=list)


@pytest.fixture
def webhook() -> Iterator[Webhook]:
    webhook = Webhook()

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            webhook.bodies.append(json.loads(body))
            self.send_response(webhook.status)
            if webhook.status == 302:
                self.send_header("Location", webhook.address)
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    webhook.address = f"http://127.0.0.1:{server.server_address[1]}/secret-token"
    Thread(target=server.serve_forever, args=(0.05,), daemon=True).start()
    yield webhook
    server.shutdown()
    server.server_close()


@dataclass
class MailServer:
    """A real mail server that keeps what it is given."""

    address: str = ""
    mails: list[Message] = field(default_factory=list)
    recipients: list[str] = field(default_factory=list)
    commands: list[str] = field(default_factory=list)

    async def handle_DATA(self, server: Any, session: Any, envelope: Any) -> str:  # noqa: N802
        self.mails.append(message_from_bytes(envelope.content, policy=default))
        self.recipients += envelope.rcpt_tos
        return "250 OK"


@pytest.fixture
def mail() -> Iterator[MailServer]:
    mail = MailServer()
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
    controller = Controller(mail, hostname="127.0.0.1", port=port)
    controller.start()
    mail.address = f"smtp://127.0.0.1:{port}"
    yield mail
    controller.stop()


def _sent(channel: Alerts, failure: CrawlFailure = _FAILURE) -> list[str]:
    """What was logged while sending."""
    logged: list[str] = []
    with suppress(AlertError):
        channel.send(failure, logged.append)
    return logged


def test_a_mail_says_what_failed_and_where_to_look(mail):
    assert not _sent(Alerts(mail="a@example.org, b@example.org", smtp=mail.address))
    assert mail.recipients == ["a@example.org", "b@example.org"]
    (message,) = mail.mails
    assert message["Subject"] == "Loremill: the crawl of keepers by bulbapedia failed"
    assert message["From"] == "a@example.org"
    assert message.get_content_type() == "text/plain"
    body = message.get_content()
    for line in (
        "- the site is down; try later",
        "run: http://ui/runs/1",
        "how the site was treated: http://page",
    ):
        assert line in body.splitlines()


def test_slack_gets_text_that_cannot_call_everyone(webhook):
    evil = CrawlFailure("k", "s", ["<!channel> & <http://evil|click>"], "http://ui/runs/1", None)
    assert not _sent(Alerts(slack=webhook.address), evil)
    (body,) = webhook.bodies
    assert "&lt;!channel&gt; &amp; &lt;http://evil|click&gt;" in body["text"]
    assert body["mrkdwn"] is False


def test_a_webhook_gets_the_same_in_parts(webhook):
    assert not _sent(Alerts(webhook=webhook.address))
    (body,) = webhook.bodies
    assert body["event"] == "crawl_failed"
    assert (body["franchise"], body["spider"]) == ("keepers", "bulbapedia")
    assert body["errors"] == ["the site is down; try later"]
    assert body["run"] == "http://ui/runs/1"
    assert body["treatment"] == "http://page"


def test_the_message_is_bounded_and_of_plain_text(webhook):
    evil = CrawlFailure("k", "s", ["a\x1b[31m\u202e\nb" + "x" * 10_000] * 500, "http://ui", None)
    assert not _sent(Alerts(webhook=webhook.address), evil)
    (body,) = webhook.bodies
    assert len(body["errors"]) == 10
    assert len(body["text"]) < 6_000
    assert "and 490 more errors" in body["text"]
    assert "\x1b" not in body["text"]
    assert "\u202e" not in body["text"]
    assert "a[31m bxxx" in body["errors"][0]


@pytest.mark.parametrize("status", [500, 302])
def test_a_channel_that_fails_is_told_without_its_secret_and_the_others_go(
    webhook, mail, status, caplog
):
    webhook.status = status
    channel = Alerts(
        mail="a@example.org",
        smtp=mail.address,
        slack="http://127.0.0.1:9/services/hidden-token",
        webhook=webhook.address,
    )
    with caplog.at_level(logging.INFO):
        slack, posted = _sent(channel)
    assert len(mail.mails) == 1
    assert slack.startswith("the alert by slack was not sent: ConnectionError")
    assert posted == f"the alert by webhook was not sent: 127.0.0.1 answered {status}"
    assert len(webhook.bodies) == 1  # a redirect is not followed
    for text in (slack, posted, caplog.text):
        assert "token" not in text


def test_a_password_does_not_travel_in_the_clear(mail):
    server = mail.address.replace("smtp://", "smtp://me:hidden@")
    (said,) = _sent(Alerts(mail="a@example.org", smtp=server))
    assert "no encryption" in said
    assert "hidden" not in said
    assert not mail.mails


def test_what_is_configured_is_read_from_the_environment_and_not_shown(monkeypatch, webhook):
    assert channels({}) == []
    environment = {"LOREMILL_ALERT_SLACK": webhook.address, "LOREMILL_ALERT_MAIL": "a@example.org"}
    assert channels(environment) == ["mail", "slack"]
    resource = alerts(environment)
    assert "secret-token" not in repr(resource)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert resource.process_config_and_initialize().slack == webhook.address


@pytest.mark.parametrize(
    ("variable", "value"),
    [
        ("LOREMILL_ALERT_SLACK", "hooks.slack.example/hidden"),
        ("LOREMILL_ALERT_SMTP", "http://hidden"),
        ("LOREMILL_ALERT_WEBHOOK", "https://host:hidden/"),
        ("LOREMILL_ALERT_MAIL", "hidden"),
    ],
)
def test_a_channel_that_cannot_work_is_a_mistake_at_load(variable, value):
    with pytest.raises(SpecError, match=variable) as caught:
        channels({variable: value})
    assert "hidden" not in str(caught.value)
    assert len(caught.value.mistakes) == 1


@pytest.fixture
def tick(project, load, monkeypatch) -> Callable[..., tuple[Any, dg.SensorDefinition]]:
    """Run an asset, then the sensor, both as Dagster does; the sensor's reactions."""

    def tick(webhook: Webhook, key: str, run: Callable[..., Any]) -> Any:
        monkeypatch.setenv("LOREMILL_ALERT_WEBHOOK", webhook.address)
        definitions = load(project)
        sensor = definitions.get_repository_def().get_sensor_def("crawl_failed")
        assert sensor.default_status is DefaultSensorStatus.RUNNING
        with dg.instance_for_test(temp_dir=str(project.folder)) as instance:

            def evaluate(cursor: str | None) -> Any:
                own = {name: (definitions.resources or {})[name] for name in ("alerts", "data")}
                with dg.build_sensor_context(instance, cursor, resources=own) as context:
                    return sensor.evaluate_tick(context)

            cursor = evaluate(None).cursor
            result = run(definitions, instance, key)
            return result, evaluate(cursor)

    return tick


def test_a_real_failed_crawl_alerts(project, tick, webhook, materialize):
    project.write_keepers("http://127.0.0.1:9", episodes=2)
    result, ticked = tick(webhook, _PAGES, materialize)
    assert not result.success
    assert [reaction.error for reaction in ticked.dagster_run_reactions] == [None]
    (body,) = webhook.bodies
    assert (body["franchise"], body["spider"]) == ("keepers", "bulbapedia")
    assert "127.0.0.1:9" in body["errors"][0]
    assert "see whether the site is up" in body["errors"][0]  # the remedy
    assert "how the site was treated" not in body["errors"][-1]
    assert body["run"] == f"http://127.0.0.1:3000/runs/{result.run_id}"
    assert body["treatment"].startswith("http://127.0.0.1:3001/crawls/keepers/bulbapedia/")


def test_a_crawl_that_failed_its_check_alerts(
    project, sites, tick, webhook, materialize, monkeypatch
):
    """By a doctored record, the crawl was too fast."""
    project.write_keepers(sites.bulbapedia, episodes=2)
    honest = Crawler.crawl

    def hasty(self: Crawler, data: Any, franchise: str, spider: str, *args: Any, **more: Any):
        outcome = honest(self, data, franchise, spider, *args, **more)
        path = requests_path(data.pages(franchise, spider).root, outcome.crawl_id)
        rows = pq.read_table(path).to_pylist()
        rows[-1]["gap"] = 0.001
        pq.write_table(type(pq.read_table(path)).from_pylist(rows, pq.read_schema(path)), path)
        return outcome

    monkeypatch.setattr(Crawler, "crawl", hasty)
    result, _ = tick(webhook, _PAGES, materialize)
    assert not result.success
    (body,) = webhook.bodies
    (error,) = body["errors"]
    assert error.startswith("politeness_kept: http://127.0.0.1:")
    assert "NOT kept" in error
    assert body["treatment"].startswith("http://127.0.0.1:3001/crawls/")


@pytest.mark.slow
def test_documents_that_the_alarm_refused_alert(project, tick, webhook, materialize):
    """A site changed its markup overnight."""
    with SampleSites() as site:
        project.write_keepers(site.bulbapedia, episodes=4)

        def overnight(definitions: dg.Definitions, instance: dg.DagsterInstance, key: str) -> Any:
            assert materialize(definitions, instance, _PAGES, key).success
            for episode in range(1, 5):
                site.redress("bulbapedia", f"LK{episode:03}", Dialect.REBUILT)
            return materialize(definitions, instance, _PAGES, key)

        result, ticked = tick(webhook, "keepers/documents", overnight)
    assert not result.success
    assert [reaction.error for reaction in ticked.dagster_run_reactions] == [None]
    (body,) = webhook.bodies
    assert (body["event"], body["franchise"]) == ("documents_refused", "keepers")
    assert "pages with a story fell from 4 to 0" in body["errors"][0]
    assert "accept_drift" in body["text"]
    assert body["changes"] == "http://127.0.0.1:3001/changes/documents/keepers.html"


def test_another_step_that_failed_alerts_nobody(project, tick, webhook, materialize):
    project.write_keepers("http://127.0.0.1:9", episodes=2)
    result, _ = tick(webhook, "keepers/corpus", materialize)
    assert not result.success
    assert webhook.bodies == []


def _killed(begun: bool, data: Path | None = None, *, crash: bool = False) -> Callable[..., Any]:
    """As Dagster's run monitoring notes it: the run failed, though none of its steps did.

    With `crash`, as its executor notes a step whose process is gone; with `data`, the crawl has
    left two pages and its record there.
    """

    def run(definitions: dg.Definitions, instance: dg.DagsterInstance, key: str) -> Any:
        job = definitions.resolve_implicit_global_asset_job_def()
        run = instance.create_run_for_job(job)
        step = dg.AssetKey.from_user_string(key).to_python_identifier()

        def report(of_type: dg.DagsterEventType, said: Any = None) -> None:
            event = dg.DagsterEvent(of_type.value, job.name, step_key=step,
                                    event_specific_data=said)  # fmt: skip
            instance.report_dagster_event(event, run.run_id)

        if begun:
            report(dg.DagsterEventType.STEP_START)
        if data is not None:
            _leave(data, name_crawl(run.run_id))
        if crash:
            error = serializable_error_info_from_exc_info(_raised(ChildProcessCrashException(1)))
            report(dg.DagsterEventType.STEP_FAILURE, StepFailureData(error, None))
        instance.report_run_failed(run, "the run worker was killed")
        return run

    return run


def _raised(error: Exception) -> Any:
    try:
        raise error
    except type(error):
        return sys.exc_info()


def _leave(data: Path, crawl_id: str) -> None:
    """What a crawl has left after kill -9: two pages and its record, both in journals."""
    root = pages_root(data, "keepers", "bulbapedia")
    requests = requests_path(root, crawl_id).with_suffix(".arrows")
    journal = root / "journal" / f"000001-{crawl_id}.arrows"
    for path in (requests, journal):
        path.parent.mkdir(parents=True)
    record = Journal(requests, REQUESTS)
    now = datetime.now(UTC)
    record.append(
        pa.RecordBatch.from_pylist(
            [
                {
                    "time": now, "crawl_id": crawl_id, "franchise": "keepers", "wait": 0.0,
                    "spider": "bulbapedia", "host": "http://127.0.0.1:9", "attempt": 1,
                    "url": "http://127.0.0.1:9/robots.txt", "kind": "robots", "sent": True,
                    "rule": "robots.txt itself", "status": 200, "seconds": 0.1,
                }
            ],
            schema=REQUESTS,
        )
    )  # fmt: skip
    record.close()
    pages = Journal(journal, PAGES)
    for url in ("a", "b"):
        page = Page(
            url=url, final_url=url, title=url, page_id=url, revision=None, etag=None,
            last_modified=None, status=200, content_type="text/html", body=b"<p>A gate.</p>",
            licence="CC0-1.0", signals=None, attribution_url=url, spider="bulbapedia",
            franchise="keepers", source="bulbapedia", crawl_id=crawl_id,
        )  # fmt: skip
        pages.append(page.batch())
    pages.close()


@pytest.mark.parametrize("begun", [True, False])
def test_a_crawl_that_was_killed_with_its_run_alerts(project, tick, webhook, begun):
    project.write_keepers("http://127.0.0.1:9", episodes=2)
    _, ticked = tick(webhook, _PAGES, _killed(begun))
    assert len(ticked.dagster_run_reactions) == 1
    said = [body["errors"] for body in webhook.bodies]
    killed = "the crawl's process was killed before it began; start it again"
    assert said == ([[killed, "the run worker was killed"]] if begun else [])


def test_a_crawl_whose_process_was_killed_alerts_with_the_remedy_and_its_page(
    project, tick, webhook
):
    project.write_keepers("http://127.0.0.1:9", episodes=2)
    tick(webhook, _PAGES, _killed(True, project.data, crash=True))
    (body,) = webhook.bodies
    assert body["errors"] == [
        "the crawl's process was killed after 2 pages (kept); start it again to go on"
    ]
    folder, _, name = body["treatment"].rpartition("/")
    assert folder == "http://127.0.0.1:3001/crawls/keepers/bulbapedia"
    page = project.data / "reports/crawls/keepers/bulbapedia" / name
    assert "did not end in order" in page.read_text("utf-8")


def test_links_lead_to_where_the_reports_are_served(project, load, monkeypatch):
    def address() -> str:
        return (load(project).resources or {})["data"].report_url(project.data / "reports/a b.html")

    assert address() == "http://127.0.0.1:3001/a%20b.html"
    monkeypatch.setenv("LOREMILL_REPORTS_URL", "https://reports.example.org/lore/")
    assert address() == "https://reports.example.org/lore/a%20b.html"
    monkeypatch.setenv("LOREMILL_REPORTS_URL", "reports.example.org")
    with pytest.raises(SpecError, match="LOREMILL_REPORTS_URL is no address"):
        address()


def test_an_alert_that_could_not_be_sent_is_seen_in_the_tick(project, tick, webhook):
    project.write_keepers("http://127.0.0.1:9", episodes=2)
    webhook.status = 500
    _, ticked = tick(webhook, _PAGES, _killed(begun=True))
    (reaction,) = ticked.dagster_run_reactions
    assert "127.0.0.1 answered 500" in reaction.error.to_string()
    assert "secret-token" not in reaction.error.to_string()
