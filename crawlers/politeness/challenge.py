"""A challenge page is a no to robots: the host is left alone, and nothing is done to get past it.

Known by Cloudflare's header `cf-mitigated: challenge`
(https://developers.cloudflare.com/cloudflare-challenges/challenge-types/challenge-pages/detect-response/)
or by the markup of the usual interstitials, which come with statuses of all kinds.
"""

import re

from scrapy.http import Request, Response

from crawlers.component import Component
from crawlers.politeness.rule import LEFT_ALONE

#: Nobody's article has one of these as its whole title: a wiki adds its own name.
_TITLE = re.compile(
    rb"<title>\s*(just a moment\W*|attention required! \| cloudflare|making sure you(&#39;|')?re "
    rb"not a bot!?|checking your browser\W*|access denied|are you a robot\?)\s*</title>",
    re.IGNORECASE,
)
_MARKUP = re.compile(rb"_cf_chl_opt|/cdn-cgi/challenge-platform/|id=\"challenge-form\"")
#: The head of a page is enough to know it by.
_HEAD = 16 * 2**10
_REFUSALS = {401, 403, 429, 503}


class ChallengeMiddleware(Component):
    """Downloader middleware; between decompression and retries, so that none is retried."""

    def process_response(self, request: Request, response: Response) -> Response:
        """Raise HostStopped where the response is a challenge."""
        if is_challenge(response):
            host = self.spider.sites.host(request.url)
            self.spider.record.of(request).done = f"a challenge page: {LEFT_ALONE}"
            raise host.stop(
                f"answers robots with a challenge page (status {response.status})",
                "this is a no; ask the site's owner for access, or use its dumps",
            )
        return response


def is_challenge(response: Response) -> bool:
    """Whether the response asks for proof of being human."""
    if response.headers.get("cf-mitigated") == b"challenge":
        return True
    head = response.body[:_HEAD]
    if b"html" not in head[:512].lower():
        return False
    return bool(_TITLE.search(head)) or (
        response.status in _REFUSALS and bool(_MARKUP.search(response.body))
    )
