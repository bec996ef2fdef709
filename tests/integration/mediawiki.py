"""A real MediaWiki on loopback: Debian's package with SQLite, all that it writes in one folder.

Pages come in by its own maintenance scripts, and change by them. What is asked of it is written to
a log by the router script that stands between PHP's own web server and the wiki's entry points
(https://www.php.net/manual/en/features.commandline.webserver.php).
"""

import os
import shutil
import signal
import socket
import subprocess
import time
from collections.abc import Iterable, Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from urllib.error import URLError
from urllib.parse import quote, unquote
from urllib.request import urlopen
from xml.sax.saxutils import escape

import pytest

SOFTWARE = Path("/usr/share/mediawiki")
#: The modules without which it does not start.
_MODULES = {"dom", "intl", "mbstring", "pdo_sqlite", "xml"}
#: Neither is a default of ours, so both are read from the YAML: `article_path:`, `api_path:`.
ARTICLE_PATH = "/lore/"
API_PATH = "/api.php"
ROBOTS = "User-agent: *\nDisallow: /index.php\n"

#: After what the installer writes. Disambiguations are marked as Wikipedia's are, by the property
#: that the extension Disambiguator sets, which Debian does not bring.
_SETTINGS = f"""
$wgServer = 'http://' . ( $_SERVER['HTTP_HOST'] ?? '127.0.0.1' );
$wgScriptPath = '';
$wgArticlePath = '{ARTICLE_PATH}$1';
$wgUsePathInfo = true;
$wgCacheDirectory = __DIR__ . '/cache';
$wgUploadDirectory = __DIR__ . '/images';
$wgMainCacheType = CACHE_NONE;
$wgParserCacheType = CACHE_NONE;
$wgJobRunRate = 0;
$wgDBservers = [ [
    'type' => 'sqlite', 'dbname' => $wgDBname, 'dbDirectory' => $wgSQLiteDataDir, 'host' => '',
    'user' => '', 'password' => '', 'load' => 1, 'flags' => DBO_DEFAULT,
    'variables' => [ 'synchronous' => 'OFF' ],
] ];
if ( file_exists( __DIR__ . '/closed' ) ) {{
    $wgGroupPermissions['*']['read'] = false;
}}
wfLoadExtension( 'Cite' );
$wgExtensionMessagesFiles['Disambiguator'] = __DIR__ . '/disambiguation.php';
$wgHooks['GetDoubleUnderscoreIDs'][] = static function ( array &$ids ) {{
    $ids[] = 'disambiguation';
}};
"""
_DISAMBIGUATION = (
    "<?php\n$magicWords = [ 'en' => [ 'disambiguation' => [ 0, '__DISAMBIG__' ] ] ];\n"
)

_ROUTER = f"""<?php
file_put_contents( getenv( 'WIKI_LOG' ), $_SERVER['REQUEST_URI'] . "\\n", FILE_APPEND | LOCK_EX );
$path = parse_url( $_SERVER['REQUEST_URI'], PHP_URL_PATH );
if ( $path === '/robots.txt' ) {{
    header( 'Content-Type: text/plain' );
    echo getenv( 'WIKI_ROBOTS' );
    return;
}}
if ( str_starts_with( $path, '{ARTICLE_PATH}' ) ) {{
    $script = '/index.php';
}} elseif ( in_array( $path, [ '/index.php', '/api.php' ] ) ) {{
    $script = $path;
}} else {{
    http_response_code( 404 );
    return;
}}
unset( $_SERVER['PATH_INFO'] );
$_SERVER['SCRIPT_NAME'] = $_SERVER['PHP_SELF'] = $script;
$_SERVER['SCRIPT_FILENAME'] = '{SOFTWARE}' . $script;
chdir( '{SOFTWARE}' );
require $_SERVER['SCRIPT_FILENAME'];
"""


def missing() -> str | None:
    """What this machine lacks to run a MediaWiki, and the remedy; None where nothing."""
    remedy = "run `make system` as root"
    if not (SOFTWARE / "maintenance" / "install.php").exists():
        return f"MediaWiki is not installed ({SOFTWARE}); {remedy}"
    if not shutil.which("php"):
        return f"php is not installed; {remedy}"
    listed = subprocess.run(["php", "-m"], capture_output=True, text=True, check=True).stdout
    lacking = sorted(_MODULES - set(listed.lower().split()))
    return f"php has no {', '.join(lacking)}; {remedy}" if lacking else None


def require() -> None:
    """Skip the test where there is no MediaWiki; in CI, which installs one, fail it."""
    if lacking := missing():
        (pytest.fail if os.environ.get("CI") == "true" else pytest.skip)(lacking)


class RealWiki:
    """An empty wiki, installed in `folder` and served until closed."""

    def __init__(self, folder: Path):
        self.folder = folder
        self._log = folder / "requests.log"
        self._log.touch()
        for name in ("cache", "images"):
            (folder / name).mkdir()
        self._environment = {
            **os.environ,
            "MW_CONFIG_FILE": str(folder / "LocalSettings.php"),
            "WIKI_LOG": str(self._log),
            "WIKI_ROBOTS": ROBOTS,
            "PHP_CLI_SERVER_WORKERS": "2",
        }
        self._php = [
            *("php", "-d", "opcache.enable_cli=1"),
            *("-d", f"opcache.file_cache={folder / 'cache'}", "-d", "opcache.jit=off"),
        ]
        self.run(
            "install",
            *("--dbtype", "sqlite", "--dbpath", str(folder / "db"), "--dbname", "wiki"),
            *("--confpath", str(folder), "--scriptpath", "", "--server", "http://127.0.0.1"),
            *("--pass", "the keeper of the ninth bell", "Lorekeep", "Archivist"),
        )
        (folder / "disambiguation.php").write_text(_DISAMBIGUATION, "utf-8")
        (folder / "router.php").write_text(_ROUTER, "utf-8")
        with (folder / "LocalSettings.php").open("a", encoding="utf-8") as settings:
            settings.write(_SETTINGS)
        self.origin, self._server = self._serve()

    def run(self, script: str, *arguments: str, given: str | None = None) -> str:
        """Run a maintenance script of the wiki; returns what it said."""
        done = subprocess.run(
            [*self._php, str(SOFTWARE / "maintenance" / f"{script}.php"), *arguments],
            env=self._environment,
            input=given,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            text=True,
            timeout=120,
        )
        assert done.returncode == 0, f"{script}: {done.stdout[-2000:]}"
        return done.stdout

    def write(self, pages: Mapping[str, str], namespaces: Mapping[str, int] | None = None) -> None:
        """Add pages by title, as wikitext; `namespaces` of titles that are no articles."""
        dump = self.folder / "pages.xml"
        spaces = namespaces or {}
        with dump.open("w", encoding="utf-8") as file:
            file.write('<mediawiki xmlns="http://www.mediawiki.org/xml/export-0.11/" ')
            file.write('version="0.11" xml:lang="en">\n')
            for title, text in pages.items():
                file.write(
                    f"<page><title>{escape(title)}</title><ns>{spaces.get(title, 0)}</ns><revision>"
                    "<timestamp>2026-01-05T08:00:00Z</timestamp><contributor><username>Archivist"
                    "</username></contributor><model>wikitext</model><format>text/x-wiki</format>"
                    f'<text xml:space="preserve">{escape(text)}</text></revision></page>\n'
                )
            file.write("</mediawiki>\n")
        self.run("importDump", "--no-local-users", str(dump))

    def edit(self, pages: Mapping[str, str]) -> None:
        """Give existing pages another text: a new revision each."""
        folder = self.folder / "edited"
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir()
        files = []
        for title, text in pages.items():
            files.append(folder / f"{title}.txt")
            files[-1].write_text(text, "utf-8")
        self.run("importTextFiles", "--overwrite", "--user", "Archivist", *map(str, files))

    def delete(self, titles: Iterable[str]) -> None:
        """Delete pages: their titles are missing from now on."""
        self.run("deleteBatch", given="".join(f"{title}\n" for title in titles))
        self.run("runJobs")

    def move(self, titles: Mapping[str, str], *, redirects: bool = True) -> None:
        """Rename pages, old title to new."""
        option = () if redirects else ("--noredirects",)
        lines = "".join(f"{old}|{new}\n" for old, new in titles.items())
        self.run("moveBatch", *option, given=lines)
        self.run("runJobs")

    @contextmanager
    def closed(self) -> Iterator[None]:
        """Let only who is logged in read."""
        mark = self.folder / "closed"
        mark.touch()
        yield
        mark.unlink()

    def requests(self, prefix: str = "/") -> list[str]:
        """Path and query of each request so far, as they stood on the wire."""
        lines = self._log.read_text("utf-8").splitlines()
        return [line for line in lines if line.startswith(prefix)]

    def fetched(self) -> list[str]:
        """The titles of the articles that were asked for, sorted."""
        paths = self.requests(ARTICLE_PATH)
        return sorted(unquote(p.removeprefix(ARTICLE_PATH)).replace("_", " ") for p in paths)

    def clear(self) -> None:
        """Forget the requests so far."""
        self._log.write_text("")

    def url(self, title: str) -> str:
        """The address of a page."""
        return f"{self.origin}{ARTICLE_PATH}{quote(title.replace(' ', '_'), safe='/:()')}"

    def close(self) -> None:
        """Stop serving."""
        # Its workers too, which outlive it; by Ctrl-C, for PHP's server may sleep over SIGTERM.
        os.killpg(self._server.pid, signal.SIGINT)
        try:
            self._server.wait(10)
        except subprocess.TimeoutExpired:
            os.killpg(self._server.pid, signal.SIGKILL)
            self._server.wait(10)

    def _serve(self) -> tuple[str, subprocess.Popen[bytes]]:
        for _ in range(5):  # the port may be gone before PHP takes it
            with socket.socket() as probe:
                probe.bind(("127.0.0.1", 0))
                address = f"127.0.0.1:{probe.getsockname()[1]}"
            with (self.folder / "server.log").open("wb") as log:
                server = subprocess.Popen(
                    [*self._php, "-S", address, str(self.folder / "router.php")],
                    env=self._environment,
                    stdout=log,
                    stderr=log,
                    start_new_session=True,
                )
            deadline = time.monotonic() + 20
            while server.poll() is None and time.monotonic() < deadline:
                try:
                    urlopen(f"http://{address}/robots.txt", timeout=20).close()
                except (URLError, OSError):
                    time.sleep(0.02)
                else:
                    self.clear()
                    return f"http://{address}", server
            if server.poll() is None:
                os.killpg(server.pid, signal.SIGKILL)
        raise RuntimeError((self.folder / "server.log").read_text("utf-8", "replace"))
