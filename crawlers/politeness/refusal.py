"""The exceptions by which politeness keeps a request from being sent or believed."""

from scrapy.exceptions import IgnoreRequest


class Refused(IgnoreRequest):
    """A request that must not be made: what stands against it, and what a person can do."""

    def __init__(self, what: str, remedy: str):
        super().__init__(f"{what}; {remedy}")
        self.what = what
        self.remedy = remedy


class HostStopped(Refused):
    """The host is left alone for the rest of this crawl; said once, when it was stopped."""
