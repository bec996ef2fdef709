"""`scrapy` with the pace of every site taken off, for the benchmark on loopback and nothing else.

The product has no switch for this: policies are replaced here, in a process that only the benchmark
starts. All else, robots.txt, the checks of each answer, the politeness record, stays on.
"""

from dataclasses import replace

from scrapy.cmdline import execute

import crawlers.sites as sites
from crawlers.policy import SitePolicy, is_loopback
from crawlers.sources import SiteSource

#: Requests at a time: Scrapy's own default for one host, which the peer has.
CONCURRENCY = 8
_policy_of = sites.policy_of


def _without_pace(source: SiteSource, origin: str) -> SitePolicy:
    policy = _policy_of(source, origin)
    if not is_loopback(policy.host):
        raise SystemExit(f"error: {policy.host} is not loopback; only that is crawled without pace")
    return replace(policy, delay=0.0, concurrency=CONCURRENCY, requests_per_minute=10**9)


sites.policy_of = _without_pace  # type: ignore[attr-defined]

if __name__ == "__main__":
    execute()
