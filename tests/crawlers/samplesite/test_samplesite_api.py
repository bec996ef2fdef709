"""The Action API answers as MediaWiki's does."""

import json

FILMS = "Category:Mystery films"


def walk(api, origin, **parameters):
    """All pages of a listing, continued to its end, and how many answers it took."""
    found, onward, answers = [], {}, 0
    while True:
        answer = api(origin, **parameters, **onward)
        answers += 1
        found += answer.get("query", {}).get("pages", [])
        if "continue" not in answer:
            return found, answers
        onward = answer["continue"]


def test_a_category_is_continued_to_its_end(sites, api):
    pages, answers = walk(
        api, sites.bulbapedia, generator="categorymembers", prop="info",
        gcmtitle="Category:Lorakin episodes", gcmtype="page", gcmlimit=500,
    )  # fmt: skip
    titles = [page["title"] for page in pages]
    assert answers == 4, "150 episodes and one closed page, 50 an answer"
    assert len(titles) == len(set(titles)) == 151
    assert all(page["lastrevid"] > 0 and page["pageid"] > 0 for page in pages)


def test_titles_are_normalized_redirected_and_missing(sites, api):
    answer = api(
        sites.wikipedia, titles="cinder_Wren_1|No such film|A[b", redirects=1, prop="info|pageprops"
    )["query"]
    assert answer["normalized"][0]["to"] == "Cinder Wren 1"
    assert answer["redirects"] == [{"from": "Cinder Wren 1", "to": "Cinder Wren (film)"}]
    by_title = {page["title"]: page for page in answer["pages"]}
    assert by_title["No such film"]["missing"] is True
    assert by_title["A[b"]["invalid"] is True
    assert "lastrevid" in by_title["Cinder Wren (film)"]


def test_a_redirect_that_is_not_followed_says_so(sites, api):
    page = api(sites.wikipedia, titles="Cinder Wren 1", prop="info")["query"]["pages"][0]
    assert page["redirect"] is True


def test_disambiguation_pages_carry_their_property(sites, api):
    page = api(sites.wikipedia, titles="Cinder Wren", prop="pageprops")["query"]["pages"][0]
    assert page["pageprops"] == {"disambiguation": ""}


def test_format_version_1_keys_pages_and_empties_flags(sites, api):
    answer = api(sites.wikipedia, titles="Cinder Wren 1|No such film", prop="info", formatversion=1)
    pages = answer["query"]["pages"]
    assert pages["-1"]["missing"] == ""
    (known,) = (page for key, page in pages.items() if key != "-1")
    assert known["redirect"] == ""
    assert str(known["pageid"]) in pages
    assert answer["batchcomplete"] == ""


def test_the_links_of_a_list_page(sites, api):
    pages, answers = walk(
        api, sites.bulbapedia, generator="links", titles="List of animated series episodes",
        gplnamespace=0, gpllimit="max", prop="info",
    )  # fmt: skip
    assert answers == 3
    assert {page["title"] for page in pages if "missing" not in page} >= {"LK001", "LK090", "TT060"}


def test_subcategories(sites, api):
    pages, _ = walk(
        api, sites.wikipedia, generator="categorymembers", gcmtitle="Category:Cinder Wren",
        gcmtype="subcat", prop="info",
    )  # fmt: skip
    assert [page["title"] for page in pages] == [
        "Category:Cinder Wren comics",
        "Category:Cinder Wren films",
        "Category:Cinder Wren graphic novels",
    ]
    assert {page["ns"] for page in pages} == {14}


def test_an_empty_category_answers_without_a_query(sites, api):
    answer = api(
        sites.wikipedia, generator="categorymembers", gcmtitle="Category:None", prop="info"
    )
    assert answer == {"batchcomplete": True}


def test_allpages_by_prefix_leaves_redirects_out_when_asked(sites, api):
    def titles(kind):
        pages, _ = walk(
            api, sites.wikipedia, generator="allpages", gapprefix="Cinder Wren", gaplimit=20,
            gapfilterredir=kind,
        )  # fmt: skip
        return {page["title"] for page in pages}

    assert titles("all") - titles("nonredirects") == {"Cinder Wren 1"} == titles("redirects")


def test_maxlag_is_an_error_with_retry_after(sites, get, api):
    status, body, headers = get(f"{sites.wikipedia}/w/api.php?action=query&format=json&maxlag=-2")
    assert (status, json.loads(body)["error"]["code"]) == (200, "maxlag")
    assert int(headers["Retry-After"]) >= 5
    sites.wikis["wikipedia"].lag = 9
    assert api(sites.wikipedia, maxlag=5, meta="siteinfo")["error"]["lag"] == 9
    assert "error" not in api(sites.bulbapedia, maxlag=5, meta="siteinfo")


def test_mistakes_are_told_in_json(sites, api):
    wiki = sites.wikipedia
    assert (
        "Unrecognized parameter: gmctitle"
        in (api(wiki, gmctitle="x")["warnings"]["main"]["warnings"])
    )
    codes = {
        "badvalue": {"action": "quarrel"},
        "missingparam": {"generator": "categorymembers"},
        "invalidcategory": {"list": "categorymembers", "cmtitle": "Cinder Wren"},
        "toomanyvalues": {"titles": "|".join(map(str, range(51)))},
        "badinteger": {"list": "allpages", "aplimit": "many"},
        "badcontinue": {"list": "categorymembers", "cmtitle": FILMS, "cmcontinue": "x"},
    }
    for code, parameters in codes.items():
        assert api(wiki, **parameters)["error"]["code"] == code


def test_siteinfo_tells_the_licence(sites, api):
    info = api(sites.bulbapedia, meta="siteinfo", siprop="general|rightsinfo")["query"]
    assert info["rightsinfo"]["url"] == "https://creativecommons.org/licenses/by-nc-sa/2.5/"
    assert info["general"]["generator"] == "MediaWiki 1.43.0"


def test_an_edit_changes_the_revision_of_one_page_only(sites, get, api):
    def revision(title):
        page = api(sites.wikipedia, titles=title, prop="info")["query"]["pages"][0]
        return page["lastrevid"], page["touched"]

    edited, linking = "The Glass Ferry", "Salt on the Wire"
    before, neighbour = revision(edited), revision(linking)
    sites.edit("wikipedia", edited, "<h2>Plot</h2>\n<p>Shorter.</p>")
    assert revision(edited)[0] > before[0]
    assert revision(linking)[0] == neighbour[0]
    assert revision(linking)[1] > neighbour[1], "touched, since it links to the edited page"
    assert b"Shorter." in get(f"{sites.wikipedia}/wiki/The_Glass_Ferry")[1]


def test_moved_and_deleted_pages(sites, get, api):
    old = api(sites.wikipedia, titles="The Glass Ferry")["query"]["pages"][0]["pageid"]
    sites.move("wikipedia", "The Glass Ferry", "The Glass Ferry (film)")
    page = api(sites.wikipedia, titles="The Glass Ferry", redirects=1)["query"]["pages"][0]
    assert (page["title"], page["pageid"]) == ("The Glass Ferry (film)", old)
    sites.delete("wikipedia", "The Glass Ferry (film)")
    assert get(f"{sites.wikipedia}/wiki/The_Glass_Ferry_(film)")[0] == 404
