"""Says in a person's words why a request failed, and what can be done."""

from scrapy.exceptions import (
    CannotResolveHostError,
    DownloadCancelledError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    IgnoreRequest,
    ResponseDataLossError,
)
from scrapy.spidermiddlewares.httperror import HttpError

from crawlers.politeness.refusal import Refused

#: What Scrapy raises where no response came, or not a whole one.
NO_ANSWER = (
    CannotResolveHostError,
    DownloadConnectionRefusedError,
    DownloadFailedError,
    DownloadTimeoutError,
    ResponseDataLossError,
)


class SourceError(RuntimeError):
    """A source cannot be listed: what answered is not what was asked for."""

    def __init__(self, what: str, remedy: str = "see what the site says in a browser"):
        super().__init__(f"{what}; {remedy}")
        self.what = what
        self.remedy = remedy


#: Every way in which fetching or reading a listing fails for a reason outside this program.
EXPECTED = (*NO_ANSWER, DownloadCancelledError, IgnoreRequest, HttpError, SourceError)

#: Of a page beyond DOWNLOAD_MAXSIZE, as it comes or unpacked.
TOO_LARGE = "the page is larger than allowed"
ALLOW_LARGER = "raise DOWNLOAD_MAXSIZE if it should be kept"
#: Characters of what a server sent that an error shows.
_SHOWN = 120

_SITE_UP = "see whether the site is up and `site:` is right, then run the same command again"


def explain(error: BaseException) -> tuple[str, str]:
    """What went wrong, and the remedy."""
    match error:
        case Refused() | SourceError():
            return error.what, error.remedy
        case HttpError():
            return status(error.response.status)
        case DownloadConnectionRefusedError():
            return "the connection was refused", _SITE_UP
        case CannotResolveHostError():
            return "the host's name is unknown", "see whether there is a network and the name right"
        case DownloadTimeoutError():
            return "the answer was not whole in time (DOWNLOAD_TIMEOUT)", _SITE_UP
        case DownloadCancelledError():
            return TOO_LARGE, ALLOW_LARGER
        case ResponseDataLossError():
            return "the answer broke off in the middle", "run the same command again"
        case DownloadFailedError():
            return f"no answer that can be read ({_reasons(error)})", _SITE_UP
        case IgnoreRequest() if str(error) == "max redirections reached":  # Scrapy's words
            return "redirects without end", "see where the page leads in a browser"
        case _:
            return f"{type(error).__name__}: {error}".rstrip(": "), _SITE_UP


def _reasons(error: DownloadFailedError) -> str:
    """What Twisted says below Scrapy's error, e.g. of a certificate."""
    reasons = [reason.getErrorMessage() for reason in getattr(error.__cause__, "reasons", [])]
    return " ".join(", ".join(reasons or [str(error)]).split())[:_SHOWN]


def status(code: int) -> tuple[str, str]:
    """What a status code says of a page, and the remedy."""
    if code in (404, 410):
        return f"is not there (status {code})", "see whether it was deleted or renamed"
    if code == 429 or code >= 500:
        return f"the server is busy or broken (status {code})", "run the same command again later"
    return f"was answered with status {code}", "see what the site says in a browser"
