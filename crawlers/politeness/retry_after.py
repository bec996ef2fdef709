"""Reads `Retry-After`: seconds or an HTTP date (RFC 9110, section 10.2.3)."""

from datetime import UTC, datetime
from email.utils import parsedate_to_datetime

from scrapy.http import Response


def retry_after(response: Response, now: datetime | None = None) -> float | None:
    """The wait in seconds that the response asks for; None where it says nothing readable."""
    value = (response.headers.get("Retry-After") or b"").decode("latin-1").strip()
    if value.isdecimal():
        return float(value)
    try:
        moment = parsedate_to_datetime(value)
        if moment.tzinfo is None:
            moment = moment.replace(tzinfo=UTC)  # an HTTP date is always GMT
        return max(0.0, (moment - (now or datetime.now(UTC))).total_seconds())
    except (ValueError, OverflowError):  # no date, or one beyond the calendar
        return None
