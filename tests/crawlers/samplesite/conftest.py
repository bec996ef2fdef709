"""The sample sites on free ports, and a plain client for them."""

import json
import urllib.request
from collections.abc import Callable, Iterator
from http.client import HTTPMessage
from typing import Any
from urllib.error import HTTPError
from urllib.parse import urlencode

import pytest

from crawlers.samplesite import SampleSites

Answer = tuple[int, bytes, HTTPMessage]


@pytest.fixture
def sites() -> Iterator[SampleSites]:
    with SampleSites() as started:
        yield started


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    def redirect_request(self, *args: Any, **kwargs: Any) -> None:
        return None


@pytest.fixture
def get() -> Callable[..., Answer]:
    """GET without following redirects: status, body, headers."""
    opener = urllib.request.build_opener(_NoRedirects)

    def one(url: str, **headers: str) -> Answer:
        request = urllib.request.Request(
            url, headers={name.replace("_", "-"): value for name, value in headers.items()}
        )
        try:
            with opener.open(request, timeout=10) as answer:
                return answer.status, answer.read(), answer.headers
        except HTTPError as error:
            return error.code, error.read(), error.headers

    return one


@pytest.fixture
def api(get: Callable[..., Answer]) -> Callable[..., dict[str, Any]]:
    """One API request, format 2 unless told."""

    def one(origin: str, **parameters: object) -> dict[str, Any]:
        query = urlencode({"format": "json", "formatversion": 2, "action": "query", **parameters})
        status, body, _ = get(f"{origin}/w/api.php?{query}")
        assert status == 200, "MediaWiki answers errors with 200 too"
        return json.loads(body)

    return one
