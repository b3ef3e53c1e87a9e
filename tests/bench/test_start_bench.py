"""From the start of the process to the first paint, beside a bare Qt window in the same run.

`extra_info` has CPU seconds of both and their ratio, which is all that two machines can compare.
"""

from __future__ import annotations

import os
import statistics
import subprocess
import sys
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]
ROUNDS = 5

_PAINTED = """
    used = os.times()
    print(used.user + used.system)
    sys.stdout.flush()
    os._exit(0)
"""
_OURS = f"""
import os, sys
from xrayview import app
def seen(*_):{_PAINTED}
app._load = seen
from xrayview.cli import window
sys.argv = ["xrayview-app"]
window()
"""
_WAKING = """
import os, sys, time
from xrayview import app
in_turns = app.in_turns
def timed(window, steps, wanted):
    def turns():
        done, longest = time.thread_time(), 0.0
        for _ in steps:
            before, done = done, time.thread_time()
            longest = max(longest, done - before)
            yield
        print(max(longest, time.thread_time() - done))
        sys.stdout.flush()
        os._exit(0)
    in_turns(window, turns(), wanted)
app.in_turns = timed
from xrayview.cli import window
sys.argv = ["xrayview-app"]
window()
"""
_BARE = f"""
import os, sys
from PySide6.QtCore import QEvent, QObject, QTimer
from PySide6.QtWidgets import QApplication, QMainWindow
def seen():{_PAINTED}
class Watch(QObject):
    def eventFilter(self, _, event):
        if event.type() == QEvent.Type.Paint:
            QTimer.singleShot(0, seen)
        return False
app = QApplication([])
window = QMainWindow()
watch = Watch()
window.installEventFilter(watch)
window.show()
app.exec()
"""


def cpu_s(script: str) -> float:
    """CPU seconds of a process of its own until its window has been painted."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=True,
        env={**os.environ, "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen")},
    )
    return float(done.stdout.split()[-1])


def test_first_paint(benchmark: Any) -> None:
    ours: list[float] = []
    bare: list[float] = []

    def both() -> None:
        bare.append(cpu_s(_BARE))

    benchmark.pedantic(
        lambda: ours.append(cpu_s(_OURS)), setup=both, rounds=ROUNDS, warmup_rounds=1
    )
    benchmark.extra_info["ours_cpu_s"] = round(statistics.median(ours), 3)
    benchmark.extra_info["bare_cpu_s"] = round(statistics.median(bare), 3)
    ratio = statistics.median(ours) / statistics.median(bare)
    benchmark.extra_info["ours_to_bare"] = round(ratio, 2)


def test_longest_turn_while_it_wakes(benchmark: Any) -> None:
    """After the first paint: the longest step with what the window does before it, until the
    panels are there."""
    longest: list[float] = []
    benchmark.pedantic(lambda: longest.append(cpu_s(_WAKING)), rounds=ROUNDS)
    benchmark.extra_info["longest_turn_ms"] = round(1000 * statistics.median(longest), 1)
