"""What the figures of a crawl's page mean."""

from pipeline.reports.definitions import Definition

DEFINITIONS: dict[str, Definition] = {
    "gap": Definition(
        "Gap",
        "The time from the start of one request to a host to the start of the next. The delay "
        "asked is the site's policy, or the Crawl-delay of its robots.txt where that is longer; "
        "requests for robots.txt until it came could not know it, and are left out.",
    ),
    "minute": Definition(
        "Busiest minute",
        "The most requests that one host got within any 60 seconds, wherever they begin.",
    ),
    "robots": Definition(
        "robots.txt",
        "The file in which a site says what robots may ask for (RFC 9309). It is read before "
        "anything else; where it cannot be had, nothing is asked for.",
    ),
    "refused": Definition(
        "Refused",
        "Requests that were not sent: robots.txt closes the page, a link leads off the site, or "
        "the host had been left alone by then. They never reached the network.",
    ),
    "rest": Definition(
        "Rest",
        "Statuses 429 (too many requests) and 503 (unavailable), and MediaWiki's maxlag, ask for "
        "rest; Retry-After says how long. The whole host is left alone for that time, not only "
        "the page that met it.",
    ),
    "signals": Definition(
        "Signals about use",
        "What pages say about their use by machines, such as noai or a reservation of text and "
        "data mining. They are recorded with each page.",
    ),
}
