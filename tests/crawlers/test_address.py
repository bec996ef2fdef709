"""Names that lead to addresses which are not public; nobody gets into a running crawl."""

import socket
import subprocess
import sys
import time
from pathlib import Path

import pyarrow.parquet as pq
import pytest

from crawlers.outcome import requests_path
from crawlers.politeness import rule
from crawlers.politeness.address import is_public
from crawlers.samplesite.exchange import text


def local_name() -> str:
    """A name, not an address, by which this machine reaches itself."""
    for name in (socket.gethostname(), "ip6-localhost", "localhost.localdomain"):
        try:
            found = socket.getaddrinfo(name, None)
        except OSError:
            continue
        if name != "localhost" and not any(is_public(str(entry[4][0])) for entry in found):
            return name
    pytest.skip("no name of this machine resolves to an address that is not public")


def wiki_at(workplace, site: str) -> None:
    workplace.environment["LOREMILL_CONTACT"] = "ops@example.org"
    source = {"spider": "mediawiki", "site": site, "licence": "CC0-1.0", "titles": ["Film 1"]}
    workplace.franchise("films", source)


def test_a_name_that_leads_into_the_own_network_is_refused(workplace, served) -> None:
    name = local_name()
    wiki_at(workplace, served.origin.replace("127.0.0.1", name))
    done = workplace.crawl("mediawiki", "films")
    assert done.status == 1
    assert served.paths() == []
    assert f"the name {name} leads to " in done.errors[0]
    assert "not a public address" in done.errors[0]
    assert len(done.errors) == 1
    rows = pq.read_table(requests_path(done.store.root, done.outcome.crawl_id)).to_pylist()
    assert rows
    assert {(row["sent"], row["rule"]) for row in rows} == {(False, rule.NOT_PUBLIC)}


#: The owner of a name gives a public address to whoever asks first, and another to who asks then.
#: Bound to loopback, the crawl cannot reach the public one, so nothing leaves this machine.
_REBOUND = """
import socket
from scrapy.cmdline import execute
asked = socket.getaddrinfo
def answer(name, *arguments, **options):
    return asked(PUBLIC if name == "wiki.example" else name, *arguments, **options)
socket.getaddrinfo = answer
socket.gethostbyname = lambda name: "127.0.0.1"
execute()
"""


@pytest.mark.parametrize(
    ("public", "told"),
    [
        ("198.35.26.96", "robots.txt could not be had: no answer that can be read"),
        ("2620:0:863:ed1a::1", "leads to IPv6 addresses only"),  # so nothing is asked for at all
    ],
)
def test_a_second_answer_of_the_names_owner_changes_nothing(
    workplace, served, public: str, told: str
) -> None:
    wiki_at(workplace, served.origin.replace("127.0.0.1", "wiki.example"))
    crawl = subprocess.run(
        [
            *(sys.executable, "-c", f"PUBLIC = {public!r}{_REBOUND}"),
            *("crawl", "mediawiki", "-a", "franchise=films"),
            *("-s", "DOWNLOAD_BIND_ADDRESS=127.0.0.1", "-s", "RETRY_TIMES=0"),
            *("-s", "DOWNLOAD_TIMEOUT=5"),
        ],
        cwd=workplace.folder,
        env=workplace.environment,
        stderr=subprocess.PIPE,
        text=True,
        check=False,
    )
    assert crawl.returncode == 1
    assert served.paths() == []
    assert told in crawl.stderr
    assert "fault of Loremill" not in crawl.stderr


def test_a_name_that_nobody_knows_is_one_clear_error(workplace) -> None:
    wiki_at(workplace, "http://wiki.invalid")
    done = workplace.crawl("mediawiki", "films")
    assert done.status == 1
    assert "the host's name is unknown" in done.errors[0]
    assert done.outcome.requests == 0


def test_through_a_proxy_the_name_is_the_proxys_to_know(workplace, served) -> None:
    wiki_at(workplace, "http://wiki.invalid")
    workplace.environment["http_proxy"] = served.origin
    served.site.always["/robots.txt"] = text(503, "down")
    done = workplace.crawl("mediawiki", "films", "-s", "RETRY_TIMES=0")
    assert served.paths("http") == ["http://wiki.invalid/robots.txt"]
    assert "answered 503" in done.errors[0]


def test_a_proxy_that_refuses_is_one_clear_error(workplace, served) -> None:
    wiki_at(workplace, "https://wiki.invalid")
    workplace.environment["https_proxy"] = served.origin
    done = workplace.crawl("mediawiki", "films", "-s", "RETRY_TIMES=0")
    assert done.status == 1
    assert len(done.errors) == 1
    assert "CONNECT tunnel" in done.errors[0]


@pytest.mark.parametrize(
    "address",
    ["127.0.0.1", "10.1.2.3", "172.16.0.1", "192.168.1.1", "169.254.169.254", "100.64.0.1",
     "0.0.0.0", "224.0.0.1", "255.255.255.255", "::1", "::", "fe80::1%eth0", "fc00::1",
     "::ffff:127.0.0.1", "::ffff:192.168.0.1", "ff02::1"],
)  # fmt: skip
def test_addresses_that_are_not_public(address: str) -> None:
    assert not is_public(address)


@pytest.mark.parametrize("address", ["198.35.26.96", "2620:0:863:ed1a::1", "::ffff:198.35.26.96"])
def test_addresses_that_are(address: str) -> None:
    assert is_public(address)


@pytest.mark.skipif(not Path("/proc/net/tcp").exists(), reason="needs Linux's /proc")
@pytest.mark.parametrize(
    ("options", "open_doors"),
    [
        ([], False),
        (["-s", "TELNETCONSOLE_ENABLED=1"], True),  # so that the test would see one
        (["-s", "REMOTE_CONTROL_ENABLED=1"], True),
    ],
    ids=["as it is", "telnet", "remote control"],
)
def test_a_running_crawl_listens_to_nobody(
    workplace, served, options: list[str], open_doors: bool
) -> None:
    served.site.always["/robots.txt"] = text(200, "User-agent: *\nCrawl-delay: 30\n")
    workplace.franchise("films", {"spider": "wikipedia", "site": served.origin, "titles": ["A"]})
    process = workplace.start("wikipedia", "films", *options)
    try:
        while not served.paths():
            time.sleep(0.05)
            assert process.poll() is None
        inodes = {str(fd.readlink()) for fd in Path(f"/proc/{process.pid}/fd").iterdir()}
        listening = []
        for table in ("tcp", "tcp6"):
            for line in (Path("/proc/net") / table).read_text().splitlines()[1:]:
                columns = line.split()
                if columns[3] == "0A" and f"socket:[{columns[9]}]" in inodes:
                    listening.append(columns[1])
        assert bool(listening) == open_doors
    finally:
        process.kill()
        process.communicate()
