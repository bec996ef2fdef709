"""Articles over HTTP, robots.txt, the request log, the library's paths, the command line."""

import csv
import io
import re
import signal
import subprocess
import sys
import zipfile
from pathlib import Path
from urllib.robotparser import RobotFileParser

import pytest

from crawlers.samplesite import PortTakenError, SampleSites
from crawlers.samplesite.library import CATALOGUE_COLUMNS, mirror_folder


def test_articles_carry_revision_and_answer_304(sites, get, api):
    url = f"{sites.wikipedia}/wiki/Cinder_Wren_(film)"
    status, body, headers = get(url)
    revision = int(re.search(rb'"wgRevisionId":(\d+)', body)[1])
    page = api(sites.wikipedia, titles="Cinder Wren (film)", prop="info")["query"]["pages"][0]
    assert (status, revision) == (200, page["lastrevid"])
    assert headers["Content-Type"] == "text/html; charset=UTF-8"
    again = get(url, If_Modified_Since=headers["Last-Modified"])
    assert again[:2] == (304, b"")
    assert get(url, If_Modified_Since="Thu, 01 Jan 1970 00:00:00 GMT")[0] == 200


def test_a_missing_page_answers_404_with_a_body(sites, get):
    status, body, _ = get(f"{sites.bulbapedia}/wiki/LK999")
    assert status == 404
    assert b"noarticletext" in body


def test_a_redirect_page_answers_200_with_its_target(sites, get):
    status, body, _ = get(f"{sites.wikipedia}/wiki/Cinder_Wren_1")
    assert status == 200
    assert b"(Redirected from" in body
    assert b'"wgRedirectedFrom":"Cinder_Wren_1"' in body


def test_another_spelling_is_sent_to_the_canonical_one(sites, get):
    status, _, headers = get(f"{sites.wikipedia}/wiki/the%20Glass_Ferry")
    assert (status, headers["Location"]) == (301, f"{sites.wikipedia}/wiki/The_Glass_Ferry")


def test_category_pages_show_200_members_and_go_on_under_w(sites, get):
    for number in range(205):
        sites.wikis["wikipedia"].create(f"Filler {number:03}", categories=("Fillers",))
    sites.wikis["wikipedia"].create("Category:Fillers")
    _, body, _ = get(f"{sites.wikipedia}/wiki/Category:Fillers")
    assert body.count(b'title="Filler ') == 200
    onward = re.search(rb'href="(/w/index.php[^"]+)"', body)[1].decode().replace("&amp;", "&")
    _, rest, _ = get(sites.wikipedia + onward.partition("#")[0].replace(" ", "%20"))
    assert rest.count(b'title="Filler ') == 5


def test_robots_txt_says_what_the_real_ones_say(sites, get):
    def rules(origin):
        parser = RobotFileParser()
        parser.parse(get(f"{origin}/robots.txt")[1].decode().splitlines())
        return lambda path: parser.can_fetch("Loremill", origin + path)

    wikipedia, bulbapedia = rules(sites.wikipedia), rules(sites.bulbapedia)
    assert wikipedia("/wiki/Cinder_Wren")
    assert not wikipedia("/w/api.php?action=query")
    assert bulbapedia("/wiki/LK001")
    assert bulbapedia("/w/api.php?action=query")
    assert not bulbapedia("/wiki/Shipping:Odile_and_Tove")
    gutenberg = rules(sites.gutenberg)
    assert gutenberg("/robot/harvest")
    assert gutenberg("/cache/epub/81/pg81.txt")
    assert not gutenberg("/ebooks/81")
    assert b"Crawl-delay: 0.05" in get(f"{sites.bulbapedia}/robots.txt")[1]


def test_the_log_remembers_who_asked_for_what_and_when(sites, get):
    get(f"{sites.bulbapedia}/wiki/LK001?x=1", User_Agent="Polite/1 (a@b.example)")
    get(f"{sites.gutenberg}/nothing")
    first, second = sites.log.entries()
    assert (first.site, first.method, first.path) == ("bulbapedia", "GET", "/wiki/LK001?x=1")
    assert (first.user_agent, first.status) == ("Polite/1 (a@b.example)", 200)
    assert (second.site, second.status) == ("gutenberg", 404)
    assert first.time <= second.time
    sites.log.clear()
    assert sites.log.paths() == []


def test_the_catalogue_and_every_way_to_a_book(sites, get):
    _, body, _ = get(f"{sites.gutenberg}/cache/epub/feeds/pg_catalog.csv")
    rows = list(csv.DictReader(io.StringIO(body.decode(), newline="")))
    assert tuple(rows[0]) == CATALOGUE_COLUMNS
    assert [row["Text#"] for row in rows if row["Authors"].startswith("Harrowgate, Maud")] == [
        str(number) for number in range(81, 88)
    ]
    cached = get(f"{sites.gutenberg}/cache/epub/81/pg81.txt")[1]
    assert cached == get(f"{sites.gutenberg}/files/81/81-0.txt")[1]
    assert cached == get(f"{sites.gutenberg}/8/81/81-0.txt")[1]
    assert get(f"{sites.gutenberg}/1/2/3/9/12392/12392-0.txt")[0] == 200
    assert (mirror_folder(12345), mirror_folder(5)) == ("1/2/3/4/12345", "0/5")
    assert get(f"{sites.gutenberg}/ebooks/81")[0] == 403


def test_the_harvest_leads_to_every_book(sites, get):
    url: str | None = f"{sites.gutenberg}/robot/harvest?filetypes[]=txt&langs[]=en"
    archives: list[str] = []
    while url:
        page = get(url)[1].decode().replace("&amp;", "&")
        archives += re.findall(r'href="([^"]+\.zip)"', page)
        onward = re.search(r'href="(harvest\?[^"]+)"', page)
        url = f"{sites.gutenberg}/robot/{onward[1]}" if onward else None
    assert len(archives) == len(set(archives)) == 9
    with zipfile.ZipFile(io.BytesIO(get(archives[0])[1])) as archive:
        assert archive.namelist()[0].endswith(".txt")


def test_other_content_is_served_as_it_is(tmp_path, get, api):
    whole = (
        b"<!DOCTYPE html><html><head><title>A Dog - Wikipedia</title><script>RLCONF={"
        b'"wgRevisionId":987654,"wgArticleId":4711}</script></head><body>x</body></html>'
    )
    (tmp_path / "wikipedia").mkdir()
    (tmp_path / "wikipedia" / "dog.html").write_bytes(whole)
    (tmp_path / "wikipedia" / "A_cat.html").write_text("<h2>Plot</h2><p>It sleeps.</p>")
    (tmp_path / "wikipedia" / "categories.json").write_text('{"Pets": ["A Dog"]}')
    (tmp_path / "gutenberg").mkdir()
    book = "Title: Sören\r\nAuthor: N. N.\r\n\r\nText".encode("latin-1")
    (tmp_path / "gutenberg" / "x.txt").write_bytes(book)
    with SampleSites(content=tmp_path) as sites:
        assert get(f"{sites.wikipedia}/wiki/A_Dog")[1] == whole
        assert b"<h2>Plot</h2><p>It sleeps.</p>" in get(f"{sites.wikipedia}/wiki/A_cat")[1]
        (page,) = api(sites.wikipedia, titles="A Dog", prop="info")["query"]["pages"]
        assert (page["pageid"], page["lastrevid"]) == (4711, 987654)  # as the page itself says
        for category, title in (("Pets", "A Dog"), ("All", "A cat")):
            answer = api(sites.wikipedia, list="categorymembers", cmtitle=f"Category:{category}")
            assert [m["title"] for m in answer["query"]["categorymembers"]] == [title]
        assert get(f"{sites.gutenberg}/1/1-8.txt")[0] == 404
        assert get(f"{sites.gutenberg}/0/1/1-8.txt")[1] == book
        assert "Sören".encode() in get(f"{sites.gutenberg}/cache/epub/feeds/pg_catalog.csv")[1]


SHARED = Path(__file__).parents[4] / "shared" / "data"


@pytest.mark.skipif(not SHARED.is_dir(), reason="no real pages and books beside the project")
def test_real_pages_and_books_are_served_byte_for_byte(tmp_path, get, api):
    for source in ("html/bulbapedia", "html/wikipedia", "gutenberg"):
        (tmp_path / Path(source).name).symlink_to(SHARED / source)
    with SampleSites(content=tmp_path) as sites:
        listed = api(
            sites.bulbapedia, list="categorymembers", cmtitle="Category:All", cmlimit="max"
        )
        assert "Team Rocket" in [m["title"] for m in listed["query"]["categorymembers"]]
        saved = (SHARED / "html/bulbapedia/1miqi1-team_rocket.html").read_bytes()
        assert get(f"{sites.bulbapedia}/wiki/Team_Rocket")[1] == saved
        rows = get(f"{sites.gutenberg}/cache/epub/feeds/pg_catalog.csv")[1].decode()
        assert "Middlemarch" in rows
        number = next(row for row in rows.splitlines() if "flatland" in row).partition(",")[0]
        book = get(f"{sites.gutenberg}/cache/epub/{number}/pg{number}.txt")[1]
        assert book == (SHARED / "gutenberg/flatland.txt").read_bytes()


def test_a_folder_with_nothing_in_it_is_an_error(tmp_path):
    with pytest.raises(ValueError, match="holds nothing to serve"):
        SampleSites(content=tmp_path)


def test_a_taken_port_is_named_with_the_remedy(sites):
    port = int(sites.wikipedia.rsplit(":", 1)[1])
    with pytest.raises(PortTakenError, match=rf"port {port}.*--ports"):
        SampleSites((0, port, 0))


def test_the_command_reuses_the_same_sites_and_refuses_other_programs(sites):
    def run(*arguments: str) -> subprocess.CompletedProcess[str]:
        command = [sys.executable, "-m", "crawlers.samplesite", *arguments]
        return subprocess.run(command, capture_output=True, text=True, timeout=60, check=False)

    origins = (sites.bulbapedia, sites.wikipedia, sites.gutenberg)
    ports = ",".join(origin.rsplit(":", 1)[1] for origin in origins)
    reused = run("--ports", ports, "--reuse")
    assert (reused.returncode, "already run" in reused.stdout) == (0, True)
    refused = run("--ports", ports)
    assert refused.returncode == 2
    assert "taken by another program" in refused.stderr
    assert run("--ports", "1,2").returncode == 2


def test_ending_the_sites_ends_the_command_first():
    program = """if True:
        import signal, sys, time
        signal.signal(signal.SIGTERM, lambda *_: (print("asked to end", flush=True), sys.exit(7)))
        print("ready", flush=True)
        time.sleep(60)
    """
    options = ("--quiet", "--ports", "0,0,0", "--", sys.executable, "-c", program)
    with subprocess.Popen(
        [sys.executable, "-m", "crawlers.samplesite", *options], stdout=subprocess.PIPE, text=True
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
        process.send_signal(signal.SIGTERM)
        said, _ = process.communicate(timeout=20)
    assert (process.returncode, said) == (7, "asked to end\n")
