"""What a training says through Pipes while it runs, and what becomes of it in Dagster.

Pipes hands log lines on as they come, but keeps other messages for the end. A look at the
validation split is to be seen at once: so it becomes an observation of the asset, whose page plots
each figure, as soon as it arrives.
"""

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

import dagster as dg
from dagster_pipes import PipesParams

from dagster_project.look import LOOK


class Observing:
    """Mixed into a PipesMessageReader before its own class: looks become observations at once."""

    def __init__(self, context: dg.AssetExecutionContext):
        super().__init__()
        self._observed = context

    @contextmanager
    def read_messages(self, handler: dg.PipesMessageHandler) -> Iterator[PipesParams]:
        """As the reader does, with looks taken out of what `handler` gets."""
        with super().read_messages(_Handler(handler, self._observed)) as params:  # type: ignore[misc]
            yield params


class FileReader(Observing, dg.PipesTempFileMessageReader):
    """From a file of this machine."""


class _Handler:
    """A message handler that observes; the rest is the handler's that it stands before."""

    def __init__(self, handler: dg.PipesMessageHandler, context: dg.AssetExecutionContext):
        self._handler = handler
        self._context = context

    def handle_message(self, message: Mapping[str, Any]) -> None:
        """A look is observed; all else is the handler's."""
        payload = (message.get("params") or {}).get("payload")
        if isinstance(payload, dict) and LOOK in payload:
            self._observe(payload[LOOK])
        else:
            self._handler.handle_message(message)  # type: ignore[arg-type]

    def _observe(self, figures: Mapping[str, float]) -> None:
        self._context.log_event(dg.AssetObservation(self._context.asset_key, metadata=figures))

    def __getattr__(self, name: str) -> Any:
        return getattr(self._handler, name)
