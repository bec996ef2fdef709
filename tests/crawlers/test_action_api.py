"""Answers of the Action API that no replica here gives: pieces of a batch, and the old forms."""

import asyncio
import json
from urllib.parse import parse_qs, urlsplit

import pytest
from scrapy.http import TextResponse

from crawlers.action_api import ActionApi, Answer
from crawlers.explain import SourceError
from crawlers.wiki_listing import (
    MOST_CATEGORIES,
    Listed,
    Missing,
    category_members,
    found_pages,
    linked_pages,
    titled_pages,
)


def api(*answers: object) -> tuple[ActionApi, list[dict[str, list[str]]]]:
    asked: list[dict[str, list[str]]] = []
    waiting = list(answers)

    async def download(url: str) -> TextResponse:
        asked.append(parse_qs(urlsplit(url).query))
        answer = waiting.pop(0)
        if isinstance(answer, int):
            return TextResponse(url, status=answer)
        body = answer if isinstance(answer, bytes) else json.dumps(answer).encode()
        return TextResponse(url, body=body)

    return ActionApi("http://wiki/api.php", download), asked


def collect(batches) -> list:
    async def run() -> list:
        return [batch async for batch in batches]

    return asyncio.run(run())


def test_a_batch_in_pieces_is_put_together() -> None:
    first = {"pageid": 1, "ns": 0, "title": "A", "lastrevid": 10}
    wiki, asked = api(
        {"query": {"pages": [first]}, "continue": {"ppcontinue": "1|x", "continue": "||info"}},
        {
            "batchcomplete": True,
            "query": {"pages": [{"pageid": 1, "pageprops": {"disambiguation": ""}}]},
            "continue": {"gplcontinue": "2", "continue": "gplcontinue||"},
        },
        {"batchcomplete": True, "query": {"pages": [{**first, "pageid": 2, "title": "B"}]}},
    )
    assert collect(linked_pages(wiki, "List")) == [Listed("B", "2", "10")]
    assert asked[1]["ppcontinue"] == ["1|x"]
    assert "ppcontinue" not in asked[2]  # what is continued is passed back whole, and nothing else
    assert asked[2]["gplcontinue"] == ["2"]
    assert all(query["maxlag"] == ["5"] for query in asked)


def test_categories_without_end_are_left() -> None:
    def some(start: int) -> dict[str, object]:
        numbers = range(start, start + 500)
        pages = [{"pageid": n, "ns": 14, "title": f"Category:{n}"} for n in numbers]
        more = {"gcmcontinue": str(start), "continue": "gcmcontinue||"}
        return {"batchcomplete": True, "query": {"pages": pages}, "continue": more}

    wiki, asked = api(*map(some, range(0, 100_000, 500)))
    with pytest.raises(SourceError, match="more than 10,000 others.*smaller `depth`"):
        collect(category_members(wiki, "All", depth=1))
    assert len(asked) == MOST_CATEGORIES // 500


def test_query_continue_and_pages_by_id() -> None:
    def page(number: int) -> dict[str, object]:
        return {"pageid": number, "ns": 0, "title": f"P{number}", "lastrevid": number}

    wiki, asked = api(
        {
            "query": {"pages": {"1": page(1)}},
            "query-continue": {"links": {"gplcontinue": "1|0|P2"}},
        },
        {"query": {"pages": {"2": page(2)}}},
    )
    assert [listed.title for listed in collect(linked_pages(wiki, "L"))] == ["P1", "P2"]
    assert asked[1]["gplcontinue"] == ["1|0|P2"]


def test_titles_in_the_order_asked_and_at_most_fifty_a_request() -> None:
    titles = [f"T{n}" for n in range(60)]

    def answer(some: list[str]) -> dict[str, object]:
        pages = [
            {"pageid": 1 + int(t[1:]), "ns": 0, "title": t, "lastrevid": 1} for t in some[::-1]
        ]
        pages[0] = {"title": pages[0]["title"], "ns": 0, "missing": True}
        return {"batchcomplete": True, "query": {"pages": pages}}

    wiki, asked = api(answer(titles[:50]), answer(titles[50:]))
    found = collect(titled_pages(wiki, titles))
    assert [one.title for one in found] == titles
    assert [one.title for one in found if isinstance(one, Missing)] == ["T49", "T59"]
    assert [len(query["titles"][0].split("|")) for query in asked] == [50, 10]


def test_long_titles_keep_the_request_line_short() -> None:
    titles = [f"{n}" + "é" * 100 for n in range(50)]
    empty = {"batchcomplete": True, "query": {"pages": []}}
    wiki, asked = api(*[empty] * 10)
    collect(titled_pages(wiki, titles))
    assert len(asked) > 1
    assert sum(len(query["titles"][0].split("|")) for query in asked) == 50


@pytest.mark.parametrize(
    ("answer", "words"),
    [
        (
            {"error": {"code": "readapidenied", "info": "You need read permission"}},
            "readapidenied: .*; only who is logged in may read this wiki",
        ),
        ({"error": {"code": "apidisabled", "info": "No."}}, "apidisabled: No.; .*switched off"),
        (b"<!doctype html><title>Log in", "a web page that is not JSON; give `api_path:`"),
        (b"[" * 100_000, "something that is not JSON"),
        (403, "status 403.*; give `api_path:`"),
        (404, "status 404.*; give `api_path:`"),
        ([], "not the API's"),
        ({"error": "nope"}, "not the API's: .*nope"),
        ({"query": []}, "not the API's"),
        ({"query": {"pages": [17]}}, "not the API's: .*17"),
        ({"query": {"pages": 17}}, "not the API's"),
        (
            {"batchcomplete": True, "query": {"pages": [{"pageid": 1, "title": "A"}]}},
            "not the API's",
        ),
        ({"batchcomplete": True, "query": {"pages": [{"pageid": 1, "ns": 0}]}}, "not the API's"),
        ({"query": {"pages": [{"pageid": 1, "ns": 0, "title": "A"}]}}, "a part as if it were all"),
        ({}, "a part as if it were all"),
        (
            {
                "batchcomplete": True,
                "query": {"pages": [{"pageid": 1, "ns": 0, "title": "A"}]},
                "warnings": {
                    "result": {
                        "warnings": "This result was truncated because it would otherwise be "
                        "larger than the limit of 8388608 bytes."
                    }
                },
            },
            "a truncated result; run the same command again",
        ),
        ({"query": {"pages": [], "normalized": [{"from": "a"}]}}, "not the API's"),
        ({"query": {"pages": []}, "continue": 5}, "not the API's"),
    ],
)
def test_what_is_no_answer_is_an_error(answer: object, words: str) -> None:
    wiki, _ = api(answer)
    with pytest.raises(SourceError, match=words):
        collect(wiki.query(titles="A"))


def test_a_listing_that_goes_round_is_ended() -> None:
    again = {"query": {"pages": []}, "continue": {"gcmcontinue": "x"}}
    wiki, _ = api(*[again] * 3)
    with pytest.raises(SourceError, match="twice"):
        collect(wiki.query(generator="categorymembers"))


@pytest.mark.parametrize("pages", [[], [{"pageid": 1, "ns": 0, "title": "A"}]])
def test_a_listing_that_brings_nothing_new_is_ended(pages: list[object]) -> None:
    wiki, asked = api(*(
        {"batchcomplete": True, "query": {"pages": pages}, "continue": {"gcmcontinue": str(n)}}
        for n in range(100)
    ))  # fmt: skip
    with pytest.raises(SourceError, match="50 answers with nothing new"):
        collect(wiki.query(generator="categorymembers"))
    assert len(asked) <= 51


@pytest.mark.parametrize("length", [2, 3, 7])
def test_a_listing_that_goes_in_a_wider_circle_is_ended(length: int) -> None:
    def page(n: int) -> dict[str, object]:
        return {"pageid": n, "ns": 0, "title": f"P{n}", "lastrevid": n}

    again, onward = (
        [
            {
                "batchcomplete": True,
                "query": {"pages": [page(n % length)]},
                "continue": {"gcmcontinue": str(n % cursors)},
            }
            for n in range(1000)
        ]
        for cursors in (length, 1000)
    )
    wiki, asked = api(*again)
    with pytest.raises(SourceError, match="the same continuation twice"):
        collect(wiki.query(generator="categorymembers"))
    assert len(asked) <= 4 * length
    wiki, asked = api(*onward)  # the cursor is always another, the pages are the same
    with pytest.raises(SourceError, match="nothing new"):
        collect(wiki.query(generator="categorymembers"))
    assert len(asked) < 600


def test_a_batch_without_end_is_ended() -> None:
    def some(start: int) -> list[dict[str, object]]:
        return [{"pageid": n, "ns": 0, "title": f"P{n}"} for n in range(start, start + 500)]

    wiki, asked = api(*(
        {"query": {"pages": some(n)}, "continue": {"ppcontinue": str(n)}}
        for n in range(0, 100_000, 500)
    ))  # fmt: skip
    with pytest.raises(SourceError, match="a batch of 5500 pages"):
        collect(wiki.query(generator="categorymembers"))
    assert len(asked) == 11


def test_an_old_install_is_listed_batch_by_batch() -> None:
    wiki, _ = api(
        {
            "query": {"pages": {"1": {"pageid": 1, "ns": 0, "title": "A"}}},
            "query-continue": {"categorymembers": {"gcmcontinue": "x"}},
        },
        {"query": {"pages": {"2": {"pageid": 2, "ns": 0, "title": "B"}}}},
    )
    batches = collect(wiki.query(generator="categorymembers"))
    assert [[page["title"] for page in batch.pages] for batch in batches] == [["A"], ["B"]]


def test_an_old_install_that_finds_nothing_is_believed() -> None:
    """It says so by what it does not know: formatversion came with 1.25, as batchcomplete did."""
    told = {"main": {"*": "Unrecognized parameters: 'formatversion', 'maxlag'"}}
    wiki, _ = api({"warnings": told})
    assert collect(wiki.query(titles="A")) == [Answer()]


@pytest.mark.parametrize("lacking", ["lastrevid", "pageid"])
def test_an_article_without_its_revision_is_no_deleted_one(lacking: str) -> None:
    page = {"pageid": 1, "ns": 0, "title": "A", "lastrevid": 3}
    del page[lacking]
    for listing in (
        lambda wiki: category_members(wiki, "All", depth=0),
        lambda wiki: titled_pages(wiki, ["A"]),
    ):
        wiki, _ = api({"batchcomplete": True, "query": {"pages": [page]}})
        with pytest.raises(SourceError, match="'A' without its id or its latest revision"):
            collect(listing(wiki))


def test_a_title_that_comes_back_encoded_is_found() -> None:
    title = "Cafe\u0301"  # not in Unicode's form NFC
    wiki, _ = api(
        {
            "batchcomplete": True,
            "query": {
                "normalized": [{"fromencoded": True, "from": "Cafe%CC%81", "to": "Café"}],
                "pages": [{"pageid": 1, "ns": 0, "title": "Café", "lastrevid": 3}],
            },
        }
    )
    assert collect(titled_pages(wiki, [title])) == [Listed("Café", "1", "3")]


def test_a_search_that_finds_more_than_it_tells_says_so() -> None:
    def answer(start: int) -> dict[str, object]:
        pages = [
            {"pageid": n, "ns": 0, "title": f"P{n}", "lastrevid": n}
            for n in range(start, start + 500)
        ]
        following = {"gsroffset": start + 500, "continue": "gsroffset||"}
        return {"batchcomplete": True, "query": {"pages": pages}, "continue": following}

    wiki, asked = api(*(answer(start) for start in range(0, 20_000, 500)))
    *found, last = collect(found_pages(wiki, "keeper"))
    assert len(found) == 10_000
    assert isinstance(last, Missing)
    assert "10,000" in last.why
    assert len(asked) == 20  # the one after would be an error on a real wiki


def test_an_empty_answer_is_an_empty_batch() -> None:
    wiki, _ = api({"batchcomplete": True})
    assert collect(wiki.query(titles="A")) == [Answer()]
