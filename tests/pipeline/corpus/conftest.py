"""A disk that is full as soon as one of a corpus's files is written."""

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from pathlib import Path
from typing import Any

import pyarrow.parquet as pq
import pytest


@pytest.fixture
def full_disk(monkeypatch: pytest.MonkeyPatch) -> Callable[[str], AbstractContextManager[None]]:
    """While it lasts, whoever opens a file of this name to write it gets the one that is full."""

    if not Path("/dev/full").exists():
        pytest.skip("needs /dev/full, which Linux has")

    @contextmanager
    def full(name: str) -> Iterator[None]:
        opened, parquet = Path.open, pq.ParquetWriter

        def open_(self: Path, mode: str = "r", *rest: Any, **more: Any) -> Any:
            full_up = self.name == name and "w" in mode
            return opened(Path("/dev/full") if full_up else self, mode, *rest, **more)

        def writer(where: Any, *rest: Any, **more: Any) -> Any:
            full_up = isinstance(where, Path) and where.name == name
            return parquet("/dev/full" if full_up else where, *rest, **more)

        with monkeypatch.context() as patch:
            patch.setattr(Path, "open", open_)
            patch.setattr(pq, "ParquetWriter", writer)
            patch.setattr("pyarrow.parquet.core.ParquetWriter", writer)
            yield

    return full
