"""The stable address of a model's report: `reports/NAME/` leads to its good version.

A version lies in a folder of its own, which the build after next removes; the page beside the
versions stays, to be linked and bookmarked. It holds the model's name and no text of anybody.
"""

from html import escape
from pathlib import Path
from urllib.parse import quote

from pipeline.atomic import write_atomically

ENTRANCE = "index.html"
#: A refresh needs no script, and no policy forbids it.
_PAGE = """\
<!DOCTYPE html>
<html lang="en">
<head>
<meta charset="utf-8">
<meta http-equiv="Content-Security-Policy" content="default-src 'none'; base-uri 'none'; \
form-action 'none'">
<meta http-equiv="refresh" content="0; url={address}">
<meta name="viewport" content="width=device-width, initial-scale=1">
<meta name="color-scheme" content="light dark">
<meta name="referrer" content="no-referrer">
<title>{name}: its report</title>
</head>
<body>
<p><a href="{address}">The report of {name}</a></p>
</body>
</html>
"""


def write_entrance(root: Path, report: Path) -> None:
    """Let `root/index.html` lead to `report`, a file under `root`. Raises OSError."""
    address = escape(quote(report.relative_to(root).as_posix()))
    page = _PAGE.format(address=address, name=escape(root.name))
    write_atomically(root / ENTRANCE, page.encode())
