"""What `dg scaffold defs dagster_project.components.Franchise NAME` writes: a commented start.

Every kind of source stands in it, one as an example and the others commented out; each is valid as
it stands once its `# ` is taken away (tests/dagster_project/test_scaffold.py does just that). What
the keys mean is told in docs/sources.md.
"""

import re
from typing import Any

import dagster as dg

from crawlers.franchise import COMPONENT

_TEMPLATE = """\
# A franchise: where its lore is, and when to look again. Change the lines below, then
#   dg list defs              says what is wrong, by file and line, or shows the assets
#   loremill preview {name}   shows what would be extracted, from three pages a source
#   dg launch --assets '+key:"{name}/corpus"'
# docs/add-a-franchise.md goes through it; docs/sources.md has every key.
type: {type}
attributes:
  title: "{title}"
  # genre: fantasy             # of everything here; a source may name its own
  language: en
  sources:
    # Wikipedia: by category (and so many levels of subcategories), list page, title or search.
    - spider: wikipedia
      categories: ["{title}"]
      depth: 0
      # list_pages: ["List of {title} episodes"]
      # titles: ["{title} (film)"]
      # searches: ["{title} film"]
      # sections: [Plot, Synopsis]   # headings to keep; default: the usual ones of a plot
      # genre: drama
      # limit: 100                   # at most so many pages
    # Bulbapedia: numbered episodes.
    # - spider: bulbapedia
    #   series:
    #     - {{prefix: EP, first: 1, last: 276}}
    # A wiki on Fandom: its address, then as for Wikipedia; 0 is the namespace of all articles.
    # - spider: fandom
    #   site: https://example.fandom.com
    #   namespaces: [0]
    # Any other MediaWiki: its address and the licence that it states, as an SPDX id.
    # - spider: mediawiki
    #   site: https://wiki.example.org
    #   licence: CC-BY-SA-4.0
    #   api_path: /w/api.php
    #   categories: [Episodes]
    # Project Gutenberg: by number, author, subject or bookshelf of the catalogue.
    # - spider: gutenberg
    #   books: [84]
    #   authors: ["Baum, L. Frank"]
    # A dump of a MediaWiki, from this disk (.xml, .bz2, .xz, .zst).
    # - spider: dump
    #   path: pages-articles.xml.bz2
    #   licence: CC-BY-SA-4.0
    #   categories: ["{title}"]
    # A ZIM file of Kiwix, from this disk.
    # - spider: zim
    #   path: wikipedia_en_all.zim
    #   licence: CC-BY-SA-4.0
    #   title_contains: "{title}"
    # Texts on this disk: .txt, .md, .html, .epub; or a row a page of .csv, .jsonl, .parquet.
    # - spider: files
    #   path: "plots/*.csv"
    #   licence: CC-BY-SA-4.0
    #   columns: {{text: Plot, title: Title, genre: Genre}}
    # A site that is no wiki: where its stories are listed, and which part of a page is one.
    # - spider: web
    #   site: https://stories.example.org
    #   licence: CC-BY-4.0
    #   pages: [/stories]
    #   links: "a.story"
    #   story: article
  # recrawl: "0 3 * * 1"       # cron: Mondays at three
  # timezone: Europe/Berlin
"""


class FranchiseScaffolder(dg.Scaffolder[Any]):
    """`dg scaffold defs dagster_project.components.Franchise NAME` writes a commented start."""

    def scaffold(self, request: dg.ScaffoldRequest[Any]) -> None:
        """Write `defs.yaml` into the folder of the new franchise."""
        name = request.target_path.name
        request.target_path.mkdir(parents=True, exist_ok=True)
        (request.target_path / "defs.yaml").write_text(
            _TEMPLATE.format(name=name, type=COMPONENT, title=_title(name)),
            "utf-8",
        )


def _title(name: str) -> str:
    """A first guess at a title, safe within double quotes in YAML."""
    return re.sub(r"[^\w' -]", " ", name.replace("_", " ")).strip().title()
