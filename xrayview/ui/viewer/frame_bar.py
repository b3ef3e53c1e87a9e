"""The frames of a film under its picture: a slider, play and pause, and how fast."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSlider, QSpinBox, QToolButton, QWidget

from xrayview.display.cine import FASTEST_HZ, SLOWEST_HZ
from xrayview.ui.style import icons


class FrameBar(QFrame):
    """Only there for films of several frames. Frames count from 0 here, from 1 on screen."""

    frame_requested = Signal(int)
    """A frame is to be shown; `show_frame` follows when it is."""
    playing_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self.frames = 1
        self.frame = 0
        self._wanted = 0
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self.play_button = self._button()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Frame")
        self.slider.setToolTip("The frame on screen")
        self.slider.setPageStep(10)
        self.slider.valueChanged.connect(self._on_slider)
        self.count = QLabel()
        self.count.setAlignment(Qt.AlignmentFlag.AlignRight | Qt.AlignmentFlag.AlignVCenter)
        self.rate = self._rate()
        row = QHBoxLayout(self)
        row.setContentsMargins(8, 4, 8, 4)
        row.setSpacing(8)
        row.addWidget(self.play_button)
        row.addWidget(self.slider, 1)
        row.addWidget(self.count)
        row.addWidget(self.rate)
        self.hide()

    def show_film(self, frames: int, frame: int = 0, rate_hz: float = 0.0) -> None:
        """Another film; one of a single frame needs no bar."""
        self.pause()
        self.frames = max(1, frames)
        self.slider.setRange(0, self.frames - 1)
        widest = f"{self.frames} / {self.frames}"
        self.count.setMinimumWidth(self.count.fontMetrics().horizontalAdvance(widest) + 4)
        if rate_hz:
            with QSignalBlocker(self.rate):
                self.rate.setValue(round(rate_hz))
        self.show_frame(frame)
        self.setVisible(self.frames > 1)

    def show_frame(self, frame: int) -> None:
        """This frame is on screen now."""
        self.frame = frame
        if self.playing or not self.slider.isSliderDown():
            self._want(frame)
        self.count.setText(f"{frame + 1} / {self.frames}")

    def step(self, frames: int) -> None:
        """So many frames on, held at the ends; what plays stops."""
        self.pause()
        self.go(self._wanted + frames)

    def go(self, frame: int) -> None:
        """Ask for this frame, held at the ends; what plays stops."""
        self.pause()
        self._ask(min(max(frame, 0), self.frames - 1))

    @property
    def playing(self) -> bool:
        """True while frames follow by themselves."""
        return self._timer.isActive()

    def play(self) -> None:
        """Let the frames follow each other, round and round."""
        if self.frames > 1 and not self.playing:
            self._timer.start(round(1000 / self.rate.value()))
            self._mark()

    def pause(self) -> None:
        """Stay at the frame on screen."""
        if self.playing:
            self._timer.stop()
            self._want(self.frame)
            self._mark()

    def toggle(self) -> None:
        """Play, or pause."""
        if self.playing:
            self.pause()
        else:
            self.play()

    def hideEvent(self, event: QHideEvent) -> None:
        self.pause()
        super().hideEvent(event)

    def _tick(self) -> None:
        # A frame that is still on its way is waited for: none is left out.
        if self._wanted == self.frame:
            self._ask((self.frame + 1) % self.frames)

    def _ask(self, frame: int) -> None:
        if frame != self._wanted:
            self._want(frame)
            self.frame_requested.emit(frame)

    def _want(self, frame: int) -> None:
        self._wanted = frame
        with QSignalBlocker(self.slider):
            self.slider.setValue(frame)

    def _on_slider(self, frame: int) -> None:
        self.pause()
        self._wanted = frame
        self.frame_requested.emit(frame)

    def _on_rate(self, rate_hz: int) -> None:
        self._timer.setInterval(round(1000 / rate_hz))

    def _mark(self) -> None:
        text = "Pause" if self.playing else "Play"
        self.play_button.setIcon(icons.icon("pause" if self.playing else "play"))
        self.play_button.setToolTip(f"{text} the frames")
        self.play_button.setAccessibleName(f"{text} the frames")
        self.playing_changed.emit(self.playing)

    def _button(self) -> QToolButton:
        button = QToolButton()
        button.setIcon(icons.icon("play"))
        button.setIconSize(QSize(16, 16))
        button.setFocusPolicy(Qt.FocusPolicy.TabFocus)
        button.setToolTip("Play the frames")
        button.setAccessibleName("Play the frames")
        button.clicked.connect(lambda _checked: self.toggle())
        return button

    def _rate(self) -> QSpinBox:
        rate = QSpinBox()
        rate.setRange(round(SLOWEST_HZ), round(FASTEST_HZ))
        rate.setValue(10)
        rate.setSuffix(" /s")
        rate.setAccessibleName("Frames per second")
        rate.setToolTip("Frames per second")
        rate.setFocusPolicy(Qt.FocusPolicy.ClickFocus)
        rate.valueChanged.connect(self._on_rate)
        return rate
