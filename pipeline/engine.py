"""The one door to Daft: the same query runs on this machine or on a Ray cluster.

LOREMILL_RAY names the cluster ("auto", "HOST:6379", "ray://HOST:10001"); without it Daft's own
runner uses this machine's cores. Files that a query reads must then be readable by every node, and
Loremill installed there. Daft knows one runner a process, so the choice is made once, at the first
query. Its telemetry is switched off: nothing leaves the machine that nobody asked to send.
"""

import os
import socket
from collections.abc import Callable, Iterator, Sequence
from functools import wraps
from inspect import signature
from pathlib import Path
from typing import Any

import pyarrow as pa
import pyarrow.parquet as pq

for _name, _value in {
    "DO_NOT_TRACK": "true",
    "DAFT_ANALYTICS_ENABLED": "0",
    "RAY_USAGE_STATS_ENABLED": "0",
    "DAFT_PROGRESS_BAR": "0",
}.items():
    os.environ.setdefault(_name, _value)

import daft  # noqa: E402 - reads the environment when it is imported

from pipeline.engine_error import EngineError  # noqa: E402

#: Names the Ray cluster to run on.
CLUSTER = "LOREMILL_RAY"

#: Rows that Daft passes from one operation to the next; its own 131,072 of them, each with a
#: chapter's text, would be gigabytes.
_MORSEL_ROWS = 2048

#: Bytes of columns that are read at a time, as they are when not compressed, and how often at once.
PART_BYTES = 32 << 20
_PARTS = 2

#: Seconds that a cluster's head has to accept a connection.
_PATIENCE = 5

_connected: list[str | None] = []


def read(paths: Sequence[Path], columns: Sequence[str]) -> daft.DataFrame:
    """Columns of Parquet files as a query that has not begun. Raises EngineError.

    The files are read in parts of as many row groups as have PART_BYTES of the columns, a few parts
    at a time. Of a file that it is given whole Daft reads ahead of a slower function without bound.
    """
    _connect()
    files, parts = [], []
    for path in paths:
        for part in _parts(path, columns):
            files.append(str(path.resolve()))
            parts.append(part)
    if not files:
        return daft.read_parquet([str(path.resolve()) for path in paths]).select(*columns)
    return daft.read_parquet(files, row_groups=parts).select(*columns)


def _parts(path: Path, columns: Sequence[str]) -> Iterator[list[int]]:
    """The row groups of each part of a file."""
    metadata = pq.read_metadata(path)
    wanted = [number for number, name in enumerate(metadata.schema.names) if name in columns]
    part: list[int] = []
    size = 0
    for number in range(metadata.num_row_groups):
        group = metadata.row_group(number)
        part.append(number)
        size += sum(group.column(place).total_uncompressed_size for place in wanted)
        if size >= PART_BYTES or number == metadata.num_row_groups - 1:
            yield part
            part, size = [], 0


def stream(query: daft.DataFrame) -> Iterator[pa.RecordBatch]:
    """Run a query; its rows as they come, in any order, so that no more than a few batches of them
    are held at a time."""
    for batch in query.to_arrow_iter():
        if len(batch):
            yield batch


def array_function(
    returns: daft.DataType,
) -> Callable[[Callable[..., pa.Array]], Callable[..., Any]]:
    """A decorator: a function of Arrow arrays, as many rows out as in, becomes one of columns."""

    def decorate(function: Callable[..., pa.Array]) -> Callable[..., Any]:
        @wraps(function)
        def call(*columns: daft.Series) -> pa.Array:
            return function(*(_one_array(column.to_arrow()) for column in columns))

        # Daft reads what the parameters are from the annotations.
        call.__annotations__ = dict.fromkeys(signature(function).parameters, daft.Series)
        decorated: Callable[..., Any] = daft.func.batch(return_dtype=returns)(call)
        return decorated

    return decorate


def _one_array(column: pa.Array | pa.ChunkedArray) -> pa.Array:
    return column.combine_chunks() if isinstance(column, pa.ChunkedArray) else column


def _connect() -> None:
    address = os.environ.get(CLUSTER) or None
    if _connected:
        if _connected[0] != address:
            raise EngineError(
                f"{CLUSTER} changed from {_connected[0]!r} to {address!r} in a running process; "
                "start anew"
            )
        return
    if address is None:
        daft.set_runner_native()
    else:
        try:
            import ray  # noqa: F401 - Daft's own message would not name the extra
        except ImportError as error:
            raise EngineError(f"{CLUSTER} is set, and ray is not: pip install '.[ray]'") from error
        _probe(address)
        daft.set_runner_ray(address)
    daft.set_execution_config(default_morsel_size=_MORSEL_ROWS, scantask_max_parallel=_PARTS)
    _connected.append(address)


def _probe(address: str) -> None:
    """Raise EngineError where nobody listens: Ray itself would wait for minutes, then abort."""
    host, _, port = address.removeprefix("ray://").rpartition(":")
    if not port.isdecimal():
        return  # "auto": Ray knows where its cluster is on this machine
    try:
        socket.create_connection((host, int(port)), _PATIENCE).close()
    except (OSError, OverflowError) as error:
        raise EngineError(
            f"{CLUSTER}={address}: no Ray cluster answers there ({error}); start it, or unset "
            f"{CLUSTER} to run on this machine"
        ) from error
