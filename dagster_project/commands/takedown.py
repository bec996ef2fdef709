"""`loremill takedown URL|TITLE --reason …`: a page taken out of everything it has touched."""

import getpass
import os
import socket
import sys
from typing import Annotated

import typer

from crawlers.franchise import data_root
from crawlers.store.page_store import StoreBusyError, StoreError
from crawlers.takedowns import BEGUN, TakedownRecordError
from crawlers.yaml_spec import SpecError
from dagster_project.commands.speech import FAILED, refuse, say, say_errors
from dagster_project.fixtures import FixtureError
from dagster_project.takedown import Plan, plan, take_down
from dagster_project.takedown.find import NotFoundError
from dagster_project.takedown.show import told_before, told_done
from dagster_project.takedown.touched import Touched, as_json
from pipeline.corpus import ManifestError

_EXPECTED = (
    NotFoundError, StoreBusyError, StoreError, TakedownRecordError, FixtureError, ManifestError,
    OSError, ValueError,
)  # fmt: skip

_UNFINISHED = (
    "the takedown is unfinished, and text of the page may stand yet; mend that and run the same "
    "command again, which goes on with it"
)


def takedown(
    page: Annotated[str, typer.Argument(help="a page's URL, or its title as it is stored")],
    reason: Annotated[str, typer.Option(help="why, for the record")],
    franchise: Annotated[
        str | None, typer.Option(help="look for the page there only; it is taken out everywhere")
    ] = None,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="list what it has touched, and do nothing")
    ] = False,
    yes: Annotated[bool, typer.Option("--yes", help="do not ask")] = False,
    json: Annotated[
        bool, typer.Option("--json", help="print JSON; needs --yes or --dry-run")
    ] = False,
) -> None:
    """Take a page out: pages, documents, corpora, indexes, samples, reports, for good.

    No later crawl brings it back; corpora, indexes and reports are made anew, models trained on it
    are marked. Killed, run it again. Exit status: 0 done, 1 where something could not be made anew
    or a crawl has brought it again, 2 for bad input.
    """
    if not reason.strip():
        refuse(["--reason is empty; say why, for the record"])
    if json and not (yes or dry_run):
        refuse(["--json does not ask; give --yes or --dry-run"])
    data = data_root()
    try:
        found = plan(data, page, franchise)
        if found.is_done():
            _say_done_before(found, json)
            return
        if not json:
            typer.echo(told_before(found))
        if dry_run:
            if json:
                typer.echo(as_json(found.pages, found.touched, found.others, state="dry run"))
            return
        if not (yes or _confirmed()):
            refuse(["nothing was done"])
        try:
            record, rebuilt = take_down(data, found, reason.strip(), _who(), say)
        except OSError as error:
            say_errors([error, _UNFINISHED])
            raise typer.Exit(FAILED) from None
    except SpecError as error:
        refuse(error.mistakes)
    except _EXPECTED as error:
        refuse([error])
    if json:
        typer.echo(
            as_json(
                record.pages,
                Touched(**record.touched),
                found.others,
                state=record.state,
                takedown_id=record.takedown_id,
                made_anew=list(rebuilt.made),
                not_made=rebuilt.failed,
            )
        )
    else:
        typer.echo(told_done(record, rebuilt))
    if record.state == BEGUN:
        say_errors(
            [
                "a crawl or a build that was under way has brought it again; when that has ended, "
                "run the same command again, which goes on with this takedown"
            ]
        )
    if rebuilt.failed:
        say_errors(
            f"{key} could not be made anew: {why}; what stands is the last one without the page"
            for key, why in rebuilt.failed.items()
        )
    if rebuilt.failed or record.state == BEGUN:
        raise typer.Exit(FAILED)


def _say_done_before(found: Plan, json: bool) -> None:
    record = found.earlier
    assert record is not None
    if json:
        typer.echo(
            as_json(record.pages, found.touched, state="done", takedown_id=record.takedown_id)
        )
    else:
        typer.echo(f"already taken down on {record.at[:10]} ({record.takedown_id})")


def _confirmed() -> bool:
    if not sys.stdin.isatty():
        refuse(["nobody can be asked here; give --yes to do it, or --dry-run to look"])
    return typer.confirm("Take it down? This cannot be undone.", err=True)


def _who() -> str:
    if contact := os.environ.get("LOREMILL_CONTACT"):
        return contact
    try:
        user = getpass.getuser()
    except (KeyError, OSError):  # as in a container
        user = str(os.getuid())
    return f"{user}@{socket.gethostname()}"
