"""Results of the self-test, as rows of its table and as JSON."""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from enum import StrEnum
from typing import Any

from xrayview.domain.sentences import counted
from xrayview.errors import XrayViewError

SCHEMA = 1


class CheckStatus(StrEnum):
    """The outcome of one check."""

    OK = "ok"
    FAILED = "failed"
    SKIPPED = "not checked"
    """It cannot be checked here, and `detail` says why."""


@dataclass(frozen=True)
class CheckResult:
    """One check of the self-test."""

    name: str
    status: CheckStatus
    seconds: float
    detail: str

    @classmethod
    def of(cls, plain: Mapping[str, Any]) -> CheckResult:
        """The result that `asdict` made plain. Raises: KeyError, ValueError, TypeError."""
        status = CheckStatus(plain["status"])
        return cls(str(plain["name"]), status, float(plain["seconds"]), str(plain["detail"]))

    @property
    def line(self) -> str:
        """The row of the table."""
        return f"{self.status.value:12} {self.name:16} {self.seconds:5.1f} s  {self.detail}"


class NotChecked(XrayViewError):
    """A check is not possible on this computer."""


def timed(
    name: str, check: Callable[[], str], note_unforeseen: Callable[[Exception], object]
) -> CheckResult:
    """Run a check, which returns what it found or raises, and return its result.

    Args:
        name: of the row.
        check: raises `NotChecked` where it is not possible, any other error where it failed.
        note_unforeseen: called with an error that is not an `XrayViewError`.
    """
    start_s = time.monotonic()
    try:
        status, detail = CheckStatus.OK, check()
    except NotChecked as error:
        status, detail = CheckStatus.SKIPPED, error.what
    except XrayViewError as error:
        status, detail = CheckStatus.FAILED, str(error)
    except Exception as error:
        note_unforeseen(error)
        status, detail = CheckStatus.FAILED, f"internal error ({type(error).__name__})"
    return CheckResult(name, status, round(time.monotonic() - start_s, 2), detail)


def has_passed(results: Sequence[CheckResult]) -> bool:
    """True where there are results and none has failed."""
    return bool(results) and all(result.status is not CheckStatus.FAILED for result in results)


def summary(results: Sequence[CheckResult], seconds: float) -> str:
    """One sentence on all checks."""
    failed = [result.name for result in results if result.status is CheckStatus.FAILED]
    if failed:
        return f"Failed: {', '.join(failed)} ({seconds:.0f} s)."
    if not results:
        return "Nothing was checked."
    skipped = sum(result.status is CheckStatus.SKIPPED for result in results)
    passed = counted(len(results) - skipped, "check")
    unchecked = f", {skipped} not checked here" if skipped else ""
    return f"{passed} passed{unchecked} ({seconds:.0f} s)."


def as_json(results: Sequence[CheckResult], program: Mapping[str, str], seconds: float) -> str:
    """All results as one JSON object."""
    plain = {
        "schema": SCHEMA,
        "program": dict(program),
        "passed": has_passed(results),
        "seconds": round(seconds, 1),
        "checks": [asdict(result) for result in results],
    }
    return json.dumps(plain, indent=2)
