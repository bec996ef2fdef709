"""The exceptions by which politeness keeps a request from being sent or believed."""

from scrapy.exceptions import IgnoreRequest

from crawlers.politeness.rule import LEFT_ALONE


class Refused(IgnoreRequest):
    """A request that must not be made: what stands against it, and what a person can do.

    `rule` is the rule against it, one of politeness/rule.py; None where its answer is refused.
    """

    def __init__(self, what: str, remedy: str, rule: str | None = None):
        super().__init__(f"{what}; {remedy}")
        self.what = what
        self.remedy = remedy
        self.rule = rule


class HostStopped(Refused):
    """The host is left alone for the rest of this crawl; said once, when it was stopped."""

    def __init__(self, what: str, remedy: str, rule: str = LEFT_ALONE):
        super().__init__(what, remedy, rule)
