"""Tells a person that a crawl failed or its pages were refused: by mail, Slack or any webhook.

| variable | what |
| --- | --- |
| LOREMILL_ALERT_MAIL | addresses to write to, separated by commas |
| LOREMILL_ALERT_SMTP | smtp://host, smtps://user:password@host:port; default smtp://localhost |
| LOREMILL_ALERT_FROM | the mail's sender; default: the first address written to |
| LOREMILL_ALERT_SLACK | address of an incoming webhook of Slack |
| LOREMILL_ALERT_WEBHOOK | address that gets the same as JSON by POST |
| LOREMILL_DAGSTER_URL | where the Dagster UI is, for links; default http://127.0.0.1:3000 |

Several may be set. One that fails keeps none of the others from going out. Addresses of webhooks
and passwords are secrets: they are never logged, and Dagster shows the variables' names in their
place. What a site said stands in the message as bounded text: a mail is plain text, Slack's three
marks are escaped (https://docs.slack.dev/messaging/formatting-message-text#escaping).
"""

import smtplib
import ssl
from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from email.message import EmailMessage
from typing import Any
from urllib.parse import SplitResult, unquote, urlsplit

import dagster as dg
import requests

from crawlers.yaml_spec import SpecError
from pipeline.reports.text import counted, one_line

#: Seconds that a mail server or webhook has to answer.
_TIMEOUT = 15
#: Errors told, and characters of each.
_ERRORS, _ERROR = 10, 500

_VARIABLES = {
    "mail": "LOREMILL_ALERT_MAIL",
    "smtp": "LOREMILL_ALERT_SMTP",
    "sender": "LOREMILL_ALERT_FROM",
    "slack": "LOREMILL_ALERT_SLACK",
    "webhook": "LOREMILL_ALERT_WEBHOOK",
    "ui": "LOREMILL_DAGSTER_URL",
}
_SCHEMES = {
    "smtp": ("smtp", "smtps"),
    "slack": ("http", "https"),
    "webhook": ("http", "https"),
    "ui": ("http", "https"),
}


class AlertError(OSError):
    """A channel did not take the message; says why without any secret."""


@dataclass(frozen=True)
class CrawlFailure:
    """A crawl that failed, for a person who was not there."""

    franchise: str
    spider: str
    errors: list[str]  # each with its remedy, one line
    run: str  # address of the run in the Dagster UI
    treatment: str | None  # address of the page that shows how the site was treated

    @property
    def subject(self) -> str:
        """One line."""
        return one_line(f"Loremill: the crawl of {self.franchise} by {self.spider} failed", 200)

    @property
    def text(self) -> str:
        """The whole message, as plain text."""
        page = ("how the site was treated", self.treatment) if self.treatment else None
        return _message(self.subject, self.errors, self.run, page)


@dataclass(frozen=True)
class Refusal:
    """Documents that the drift alarm stopped: a site that changed its markup, most likely."""

    franchise: str
    errors: list[str]  # what fell, the pages and the remedy
    run: str  # address of the run in the Dagster UI
    changes: str | None  # address of the page that shows what they would have brought

    @property
    def subject(self) -> str:
        """One line."""
        return one_line(f"Loremill: the new documents of {self.franchise} were refused", 200)

    @property
    def text(self) -> str:
        """The whole message, as plain text."""
        page = ("what they would have changed", self.changes) if self.changes else None
        return _message(self.subject, self.errors, self.run, page)


#: What there is to tell, by the name that a webhook is given.
Alert = CrawlFailure | Refusal
_EVENTS: dict[type[Alert], str] = {CrawlFailure: "crawl_failed", Refusal: "documents_refused"}


def _message(subject: str, errors: list[str], run: str, page: tuple[str, str] | None) -> str:
    told = [f"- {one_line(error, _ERROR)}" for error in errors[:_ERRORS]]
    if len(errors) > _ERRORS:
        told.append(f"and {counted(len(errors) - _ERRORS, 'more error')}")
    links = [f"run: {run}", *([f"{page[0]}: {page[1]}"] if page else [])]
    return "\n".join([subject, "", *told, "", *links])


class Alerts(dg.ConfigurableResource[Any]):
    """The channels; an empty one is not used."""

    mail: str = ""
    smtp: str = "smtp://localhost"
    sender: str = ""
    slack: str = ""
    webhook: str = ""
    ui: str = "http://127.0.0.1:3000"

    def send(self, failure: Alert, log: Callable[[str], object]) -> None:
        """Send by every channel that is set; `log` is told of each that failed.

        Raises AlertError, naming them, when all have been tried.
        """
        channels = {"mail": self._mail, "slack": self._slack, "webhook": self._webhook}
        failed = []
        for name, send in channels.items():
            if getattr(self, name):
                try:
                    send(failure)
                except OSError as error:  # those of requests, smtplib and ssl are all of it
                    failed.append(f"the alert by {name} was not sent: {_reason(error)}")
                    log(failed[-1])
        if failed:
            raise AlertError("; ".join(failed))

    def run_address(self, run_id: str) -> str:
        """Where the UI shows a run."""
        return f"{self.ui.rstrip('/')}/runs/{run_id}"

    def _mail(self, failure: Alert) -> None:
        to = [address.strip() for address in self.mail.split(",") if address.strip()]
        message = EmailMessage()
        message["Subject"] = failure.subject
        message["From"] = self.sender or to[0]
        message["To"] = ", ".join(to)
        message.set_content(failure.text)
        server = urlsplit(self.smtp)
        with _connected(server) as connection:
            if server.username:
                if server.scheme == "smtp":
                    _encrypt(connection)
                connection.login(unquote(server.username), unquote(server.password or ""))
            connection.send_message(message)

    def _slack(self, failure: Alert) -> None:
        text = failure.text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")
        _post(self.slack, {"text": text, "mrkdwn": False, "unfurl_links": False})

    def _webhook(self, failure: Alert) -> None:
        told = [one_line(error, _ERROR) for error in failure.errors[:_ERRORS]]
        said = {**asdict(failure), "errors": told, "text": failure.text}
        _post(self.webhook, {"event": _EVENTS[type(failure)], **said})


def channels(environment: Mapping[str, str]) -> list[str]:
    """The channels that are set. Raises SpecError for a variable that says nothing usable."""
    for field, schemes in _SCHEMES.items():
        value = environment.get(_VARIABLES[field], "")
        if value and not _is_address(value, schemes):
            like = " or ".join(f"{scheme}://host" for scheme in schemes)
            raise SpecError([f"{_VARIABLES[field]} is no address; write {like}…, or unset it"])
    mail = environment.get(_VARIABLES["mail"], "")
    if mail and not all("@" in address for address in mail.split(",")):
        name = _VARIABLES["mail"]
        raise SpecError([f"{name}: write addresses separated by commas, e.g. you@example.org"])
    return [name for name in ("mail", "slack", "webhook") if environment.get(_VARIABLES[name])]


def alerts(environment: Mapping[str, str]) -> Alerts:
    """The resource, which reads the variables that are set when it is used, and not before."""
    return Alerts(
        **{
            field: dg.EnvVar(variable)
            for field, variable in _VARIABLES.items()
            if environment.get(variable)
        }
    )


def _is_address(value: str, schemes: tuple[str, ...]) -> bool:
    try:
        parts = urlsplit(value)
        return parts.scheme in schemes and bool(parts.hostname) and parts.port != 0
    except ValueError:  # a port that is none
        return False


def _connected(server: SplitResult) -> smtplib.SMTP:
    assert server.hostname is not None
    if server.scheme == "smtps":
        context = ssl.create_default_context()
        return smtplib.SMTP_SSL(server.hostname, server.port or 465, timeout=_TIMEOUT,
                                context=context)  # fmt: skip
    return smtplib.SMTP(server.hostname, server.port or (587 if server.username else 25),
                        timeout=_TIMEOUT)  # fmt: skip


def _encrypt(connection: smtplib.SMTP) -> None:
    """A password never travels in the clear."""
    connection.ehlo()
    if not connection.has_extn("starttls"):
        raise AlertError("the mail server offers no encryption (STARTTLS), and wants a password")
    connection.starttls(context=ssl.create_default_context())


def _post(address: str, body: Mapping[str, Any]) -> None:
    answer = requests.post(address, json=body, timeout=_TIMEOUT, allow_redirects=False)
    if not 200 <= answer.status_code < 300:
        raise AlertError(f"{urlsplit(address).hostname} answered {answer.status_code}")


def _reason(error: OSError) -> str:
    """Why, without the address or the answer: either may hold a secret."""
    if isinstance(error, AlertError):
        return str(error)
    if isinstance(error, smtplib.SMTPResponseException):
        return f"{type(error).__name__}, the mail server answered {error.smtp_code}"
    return type(error).__name__
