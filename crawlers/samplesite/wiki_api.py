"""The wiki's Action API at /w/api.php: parameters, formats, errors and warnings.

It answers as MediaWiki 1.35 and later do (https://www.mediawiki.org/wiki/API:Main_page): errors
are JSON with status 200, a parameter nobody read becomes a warning, `formatversion` 1 differs from
2 in its shapes. What `action=query` finds is in `wiki_query.py`.
"""

import json
from typing import Any

from crawlers.samplesite.exchange import Request, Response, html
from crawlers.samplesite.wiki import Wiki
from crawlers.samplesite.wiki_parameters import ApiError, Parameters
from crawlers.samplesite.wiki_query import run_query

Json = dict[str, Any]

#: Wait in seconds that a maxlag error asks for at the least, as MediaWiki does.
_SHORTEST_WAIT = 5
_HELP = "See https://www.mediawiki.org/wiki/Special:MyLanguage/API:Main_page for API usage."


def serve(wiki: Wiki, request: Request, cap: int) -> Response:
    """Answer an API request; listings give at most `cap` entries an answer."""
    parameters = Parameters(request.query)
    headers: dict[str, str] = {}
    try:
        answer = _act(wiki, parameters, cap)
        parameters.note_unread()
    except ApiError as error:
        headers = {"MediaWiki-API-Error": error.code, **error.headers}
        answer = {"error": {"code": error.code, "info": error.info, **error.more, "docref": _HELP}}
    if parameters.warnings:
        told = {module: {"warnings": "\n".join(w)} for module, w in parameters.warnings.items()}
        answer = {"warnings": told, **answer}
    if parameters.get("formatversion", "1") == "1":
        answer = _first_form(answer)
    body = json.dumps(answer, ensure_ascii=parameters.get("utf8") is None)
    if parameters.get("format", "jsonfm") != "json":
        return html(200, f"<!DOCTYPE html><title>API result</title><pre>{body}</pre>")
    headers["Content-Type"] = "application/json; charset=utf-8"
    return Response(200, body.encode(), headers)


def _act(wiki: Wiki, parameters: Parameters, cap: int) -> Json:
    parameters.read("formatversion", "format", "utf8", "uselang", "errorformat", "requestid",
                    "maxage", "smaxage", "origin", "curtimestamp", "servedby")  # fmt: skip
    limit = parameters.integer("maxlag")
    if limit is not None and wiki.lag > limit:
        raise ApiError(
            "maxlag",
            f"Waiting for 127.0.0.1: {wiki.lag:g} seconds lagged.",
            {"host": "127.0.0.1", "lag": wiki.lag, "type": "db"},
            {"Retry-After": str(max(_SHORTEST_WAIT, limit)), "X-Database-Lag": f"{wiki.lag:g}"},
        )
    action = parameters.get("action", "help")
    if action != "query":
        raise ApiError("badvalue", f'Unrecognized value for parameter "action": {action}.')
    return run_query(wiki, parameters, cap)


def _first_form(answer: Json) -> Json:
    """The shapes of formatversion 1: pages by id, flags as empty strings, texts under "*"."""
    answer = _flags(answer)
    for message in answer.get("warnings", {}).values():
        message["*"] = message.pop("warnings")
    if "error" in answer:
        answer["error"]["*"] = answer["error"].pop("docref")
    query = answer.get("query", {})
    if "pages" in query:
        keys = range(-1, -len(query["pages"]) - 1, -1)
        absent = iter(keys)  # pages without an id are keyed -1, -2, …
        query["pages"] = {
            str(page["pageid"] if "pageid" in page else next(absent)): page
            for page in query["pages"]
        }
    return answer


def _flags(value: Any) -> Any:
    """True becomes "", False is left out, all the way down."""
    if isinstance(value, dict):
        return {k: "" if v is True else _flags(v) for k, v in value.items() if v is not False}
    return [_flags(item) for item in value] if isinstance(value, list) else value
