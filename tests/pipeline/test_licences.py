"""The table of licences: SPDX's ids, and what tells licences apart."""

import pytest
from packaging.licenses import canonicalize_license_expression

from pipeline.licences import LICENCES, UnknownLicenceError, licence


@pytest.mark.parametrize("spdx", list(LICENCES))
def test_an_id_is_spelt_as_spdx_does(spdx: str) -> None:
    assert canonicalize_license_expression(spdx) == spdx


@pytest.mark.parametrize(
    "spdx", ["CC-BY-SA-2.5", "CC-BY-SA-3.0", "CC-BY-NC-SA-2.5", "CC-BY-NC-3.0", "CC-BY-NC-4.0",
             "GFDL-1.2-or-later", "GFDL-1.3-only", "CC-PDM-1.0"],
)  # fmt: skip
def test_licences_that_wikis_of_stories_use_are_known(spdx: str) -> None:
    assert licence(spdx).spdx == spdx


def test_flags_are_what_the_ids_say() -> None:
    for spdx, terms in LICENCES.items():
        assert terms.non_commercial is ("-NC" in spdx)
        assert terms.share_alike is ("-SA-" in spdx or spdx.startswith("GFDL"))
        assert terms.attribution is spdx.startswith(("CC-BY-", "GFDL"))
        assert bool(terms.asks) is terms.attribution
        assert terms.url.startswith("https://")


def test_no_licence_forbids_what_a_corpus_does() -> None:
    assert not [spdx for spdx in LICENCES if "-ND" in spdx]
    with pytest.raises(UnknownLicenceError, match=r"CC-BY-NC-ND-4\.0.*pipeline/licences\.py"):
        licence("CC-BY-NC-ND-4.0")
