"""The licences that pages come under: SPDX id -> name, deed, and what it asks of the reuser.

Ids are SPDX's (https://spdx.org/licenses/); what has none, such as works that are only in the
public domain of the United States, carries a `LicenseRef-` as SPDX provides for. What each asks is
from its legal code: of Creative Commons 4.0 sections 2(a)(6) and 3(a), of the versions before it
sections 3(b) and 4; of the GFDL sections 2 and 4. Licences that forbid sharing what was changed
(ND) are left out on purpose: a corpus is cut out of pages.
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
    attribution: bool = True  # authors, title, link, licence, and that changes were made
    disclaimer: bool = True  # what is said of warranties has to be passed on
    no_endorsement: bool = False  # the authors must not seem to stand behind the reuse
    whole_text: bool = False  # the licence's text itself has to go with every copy
    hugging_face: str = "other"

    @property
    def asks(self) -> tuple[str, ...]:
        """What it asks of those who share the text, a sentence each; nothing of public domain."""
        asked = {
            "Name the authors and the title, link to the page and to this licence, and say what "
            "was changed.": self.attribution,
            "Whoever shares a version of their own must do so under this licence, or one that it "
            "accepts in its place.": self.share_alike,
            "No commercial use.": self.non_commercial,
            "The text comes as it is, without warranties, as the licence's disclaimer says; keep "
            "this notice.": self.disclaimer,
            "Nothing may suggest that the authors endorse the use that is made of it.": (
                self.no_endorsement
            ),
            "Put a copy of the licence's text beside the corpus before sharing it; a link does "
            "not do.": self.whole_text,
        }
        return tuple(sentence for sentence, applies in asked.items() if applies)


_CC = "https://creativecommons.org"
_ELEMENTS = {"BY": "Attribution", "NC": "NonCommercial", "SA": "ShareAlike"}
#: The Creative Commons licences that https://huggingface.co/docs/hub/repositories-licenses knows.
_ON_THE_HUB = {
    "cc-by-2.0", "cc-by-2.5", "cc-by-3.0", "cc-by-4.0", "cc-by-sa-3.0", "cc-by-sa-4.0",
    "cc-by-nc-2.0", "cc-by-nc-3.0", "cc-by-nc-4.0",
    "cc-by-nc-sa-2.0", "cc-by-nc-sa-3.0", "cc-by-nc-sa-4.0",
}  # fmt: skip


def _public(spdx: str, name: str, url: str, hugging_face: str = "other") -> Licence:
    return Licence(spdx, name, url, attribution=False, disclaimer=False, hugging_face=hugging_face)


def _creative_commons(elements: str, version: str) -> Licence:
    spdx = f"CC-{elements}-{version}"
    return Licence(
        spdx,
        f"Creative Commons {'-'.join(_ELEMENTS[part] for part in elements.split('-'))} {version}",
        f"{_CC}/licenses/{elements.lower()}/{version}/",
        non_commercial="NC" in elements,
        share_alike="SA" in elements,
        no_endorsement=version in ("3.0", "4.0"),
        hugging_face=spdx.lower() if spdx.lower() in _ON_THE_HUB else "other",
    )


def _gnu(version: str, which: str) -> Licence:
    later = " or later" if which == "or-later" else ""
    folder = "" if version == "1.3" else "old-licenses/"
    return Licence(
        f"GFDL-{version}-{which}",
        f"GNU Free Documentation License {version}{later}",
        f"https://www.gnu.org/licenses/{folder}fdl-{version}.html",
        share_alike=True,
        whole_text=True,
        hugging_face="gfdl",
    )


_TABLE = (
    _public("CC0-1.0", "Creative Commons Zero 1.0", f"{_CC}/publicdomain/zero/1.0/", "cc0-1.0"),
    _public("CC-PDM-1.0", "Public Domain Mark 1.0", f"{_CC}/publicdomain/mark/1.0/"),
    _public(
        "CC-PDDC",
        "Public domain (Creative Commons certification)",
        f"{_CC}/licenses/publicdomain/",
    ),
    _public(
        "LicenseRef-PublicDomain", "Public domain", "https://en.wikipedia.org/wiki/Public_domain"
    ),
    _public(
        "LicenseRef-PublicDomainUS",
        "Public domain in the United States",
        "https://www.gutenberg.org/policy/permission.html",
    ),
    *(
        _creative_commons(elements, version)
        for elements in ("BY", "BY-SA", "BY-NC", "BY-NC-SA")
        for version in ("1.0", "2.0", "2.5", "3.0", "4.0")
    ),
    *(_gnu(version, which) for version in ("1.1", "1.2", "1.3") for which in ("only", "or-later")),
)
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
