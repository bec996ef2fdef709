"""What an SPDX licence id stands for: a name, the licence's own page, and whether sale is barred.

Creative Commons ids are read by their pattern, so that every version is known; an id of another
kind is shown as it stands, without a link that might be wrong.
"""

import re
from dataclasses import dataclass

_CREATIVE_COMMONS = re.compile(r"CC-BY(-NC)?(-SA|-ND)?-(\d\.\d)(?:-[A-Z]+)?")
_FIXED = {
    "CC0-1.0": (
        "CC0 1.0 (no rights reserved)",
        "https://creativecommons.org/publicdomain/zero/1.0/",
    ),
    "CC-PDDC": ("Public domain", "https://creativecommons.org/licenses/publicdomain/"),
    "CC-PDM-1.0": ("Public domain mark", "https://creativecommons.org/publicdomain/mark/1.0/"),
    "MIT": ("MIT License", "https://spdx.org/licenses/MIT.html"),
    "Apache-2.0": ("Apache License 2.0", "https://www.apache.org/licenses/LICENSE-2.0"),
}


@dataclass(frozen=True)
class Licence:
    """A licence as a reader meets it."""

    id: str
    name: str
    link: str | None
    non_commercial: bool


def licence(spdx_id: str) -> Licence:
    """The licence behind an id.

    >>> licence("CC-BY-NC-SA-2.5").name
    'Creative Commons Attribution-NonCommercial-ShareAlike 2.5'
    """
    if spdx_id in _FIXED:
        name, link = _FIXED[spdx_id]
        return Licence(spdx_id, name, link, non_commercial=False)
    match = _CREATIVE_COMMONS.fullmatch(spdx_id)
    if match is None:
        spoken = re.sub(r"(?<=[a-z])(?=[A-Z])|-", " ", spdx_id.removeprefix("LicenseRef-"))
        return Licence(spdx_id, spoken, None, non_commercial="NC" in spdx_id.split("-"))
    commercial, sharing, version = match.groups()
    terms = {"-NC": "-NonCommercial", "-SA": "-ShareAlike", "-ND": "-NoDerivatives", None: ""}
    name = f"Creative Commons Attribution{terms[commercial]}{terms[sharing]} {version}"
    path = f"by{commercial or ''}{sharing or ''}".lower()
    link = f"https://creativecommons.org/licenses/{path}/{version}/"
    return Licence(spdx_id, name, link, non_commercial=commercial is not None)
