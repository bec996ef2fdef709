"""The licences that pages come under: SPDX id -> name, deed, and what it asks of the reuser.

A corpus lists them in its attribution and card and says when any forbids commercial use. Ids are
SPDX's (https://spdx.org/licenses/); what has none, such as works that are only in the public domain
of the United States, carries a `LicenseRef-` as SPDX provides for.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Licence:
    """What is known of a licence. `hugging_face` is its id in a dataset card's `license`."""

    spdx: str
    name: str
    url: str
    non_commercial: bool = False
    share_alike: bool = False
    attribution: bool = True
    hugging_face: str = "other"


_CC = "https://creativecommons.org"
_TABLE = (
    Licence("CC0-1.0", "Creative Commons Zero 1.0", f"{_CC}/publicdomain/zero/1.0/",
            attribution=False, hugging_face="cc0-1.0"),
    Licence("CC-PDDC", "Public domain (Creative Commons certification)",
            f"{_CC}/licenses/publicdomain/", attribution=False),
    Licence("LicenseRef-PublicDomain", "Public domain",
            "https://en.wikipedia.org/wiki/Public_domain", attribution=False),
    Licence("LicenseRef-PublicDomainUS", "Public domain in the United States",
            "https://www.gutenberg.org/policy/permission.html", attribution=False),
    Licence("CC-BY-3.0", "Creative Commons Attribution 3.0", f"{_CC}/licenses/by/3.0/",
            hugging_face="cc-by-3.0"),
    Licence("CC-BY-4.0", "Creative Commons Attribution 4.0", f"{_CC}/licenses/by/4.0/",
            hugging_face="cc-by-4.0"),
    Licence("CC-BY-SA-2.5", "Creative Commons Attribution-ShareAlike 2.5",
            f"{_CC}/licenses/by-sa/2.5/", share_alike=True),
    Licence("CC-BY-SA-3.0", "Creative Commons Attribution-ShareAlike 3.0",
            f"{_CC}/licenses/by-sa/3.0/", share_alike=True, hugging_face="cc-by-sa-3.0"),
    Licence("CC-BY-SA-4.0", "Creative Commons Attribution-ShareAlike 4.0",
            f"{_CC}/licenses/by-sa/4.0/", share_alike=True, hugging_face="cc-by-sa-4.0"),
    Licence("CC-BY-NC-SA-2.5", "Creative Commons Attribution-NonCommercial-ShareAlike 2.5",
            f"{_CC}/licenses/by-nc-sa/2.5/", non_commercial=True, share_alike=True),
    Licence("CC-BY-NC-SA-3.0", "Creative Commons Attribution-NonCommercial-ShareAlike 3.0",
            f"{_CC}/licenses/by-nc-sa/3.0/", non_commercial=True, share_alike=True,
            hugging_face="cc-by-nc-sa-3.0"),
    Licence("CC-BY-NC-SA-4.0", "Creative Commons Attribution-NonCommercial-ShareAlike 4.0",
            f"{_CC}/licenses/by-nc-sa/4.0/", non_commercial=True, share_alike=True,
            hugging_face="cc-by-nc-sa-4.0"),
    Licence("CC-BY-NC-4.0", "Creative Commons Attribution-NonCommercial 4.0",
            f"{_CC}/licenses/by-nc/4.0/", non_commercial=True, hugging_face="cc-by-nc-4.0"),
    Licence("GFDL-1.3-or-later", "GNU Free Documentation License 1.3 or later",
            "https://www.gnu.org/licenses/fdl-1.3.html", share_alike=True, hugging_face="gfdl"),
)  # fmt: skip
LICENCES = {licence.spdx: licence for licence in _TABLE}


class UnknownLicenceError(LookupError):
    """A page carries a licence that the table does not know."""


def licence(spdx: str) -> Licence:
    """The licence of an SPDX id. Raises UnknownLicenceError naming the table."""
    try:
        return LICENCES[spdx]
    except KeyError:
        raise UnknownLicenceError(
            f"licence {spdx!r} is not in the table of pipeline/licences.py; known are "
            f"{', '.join(LICENCES)}. Add it there, or mend the id where the source's is set"
        ) from None
