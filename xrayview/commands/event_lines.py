"""The events of a batch as one JSON object per line, for other programs: `classify --json`."""

from __future__ import annotations

import json
import sys
import time
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from xrayview.domain.events import BatchEvent


class EventLines:
    """Prints events to stdout: `started`, a `film` for each row, `finished`."""

    def __init__(self) -> None:
        self._started_s = time.monotonic()
        self._new = 0

    def print(self, event: BatchEvent, model: int = 0) -> None:
        """Print one event; `model` is the index of its model among several."""
        from xrayview.io.tables.cells import printable_name

        plain = _plain(event) | {"model_index": model}
        if plain["event"] == "film":
            self._new += 1
            seconds = time.monotonic() - self._started_s
            plain["path"] = printable_name(str(plain["path"]))
            plain["films_per_s"] = round(self._new / seconds, 2) if seconds > 0 else None
        elif plain["event"] == "started":
            self._started_s = time.monotonic()
        sys.stdout.write(json.dumps(plain) + "\n")
        sys.stdout.flush()


def _plain(event: BatchEvent) -> dict[str, object]:
    from xrayview.domain.events import BatchStarted, FilmFinished

    if isinstance(event, BatchStarted):
        return {
            "event": "started",
            "run_id": event.run_id,
            "files": event.files,
            "total": event.total,
            "resumed": event.resumed,
            "model": f"{event.card.name} {event.card.version}",
            "device": event.device,
            "runtime": event.runtime,
            "precision": event.precision,
        }
    if isinstance(event, FilmFinished):
        result = event.result
        return {
            "event": "film",
            "path": result.relative_path,
            "frame": result.frame,
            "status": result.status.value,
            "status_code": result.code.value,
            "done": event.done,
            "total": event.total,
        }
    return {
        "event": "finished",
        "counts": event.counts,
        "seconds": round(event.seconds, 3),
        "table": str(event.csv_path),
        "cancelled": event.cancelled,
        "notes": list(event.notes),
    }
