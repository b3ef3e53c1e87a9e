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
_PANELS = """
import os, sys, time
from PySide6.QtCore import Qt, QTimer
from xrayview import app
load = app._load
def timed(window, *rest):
    ticks = [(time.thread_time(), time.perf_counter())]
    timer = QTimer(window, timerType=Qt.TimerType.PreciseTimer, interval=1)
    def tick():
        ticks.append((time.thread_time(), time.perf_counter()))
        if window.has_panels:
            turns = [[b - a for a, b in zip(*two)] for two in zip(ticks, ticks[1:])]
            print(*map(max, zip(*turns)))
            sys.stdout.flush()
            os._exit(0)
    timer.timeout.connect(tick)
    timer.start()
    load(window, *rest)
app._load = timed
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


def seconds(script: str) -> list[float]:
    """The seconds that a script prints, in a process of its own."""
    done = subprocess.run(
        [sys.executable, "-c", script],
        capture_output=True,
        text=True,
        cwd=ROOT,
        timeout=120,
        check=True,
        env={**os.environ, "QT_QPA_PLATFORM": os.environ.get("QT_QPA_PLATFORM", "offscreen")},
    )
    return [float(word) for word in done.stdout.split()]


def test_first_paint(benchmark: Any) -> None:
    ours: list[float] = []
    bare: list[float] = []

    def both() -> None:
        bare.extend(seconds(_BARE))

    benchmark.pedantic(
        lambda: ours.extend(seconds(_OURS)), setup=both, rounds=ROUNDS, warmup_rounds=1
    )
    benchmark.extra_info["ours_cpu_s"] = round(statistics.median(ours), 3)
    benchmark.extra_info["bare_cpu_s"] = round(statistics.median(bare), 3)
    ratio = statistics.median(ours) / statistics.median(bare)
    benchmark.extra_info["ours_to_bare"] = round(ratio, 2)


def test_longest_turn_until_the_panels_are_built(benchmark: Any) -> None:
    """From the first paint on: between two ticks of a timer, while the modules of the panels are
    imported in a thread and the panels are built."""
    turns: list[list[float]] = []
    benchmark.pedantic(lambda: turns.append(seconds(_PANELS)), rounds=ROUNDS)
    cpu, clock = zip(*turns, strict=True)
    benchmark.extra_info["stall_ms"] = round(1000 * statistics.median(clock), 1)
    benchmark.extra_info["longest_turn_ms"] = round(1000 * statistics.median(cpu), 1)
