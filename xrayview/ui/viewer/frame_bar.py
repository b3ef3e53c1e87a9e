"""The bar below a film of several frames: a slider, play and pause, and the frame rate."""

from __future__ import annotations

from PySide6.QtCore import QSignalBlocker, QSize, Qt, QTimer, Signal
from PySide6.QtGui import QHideEvent
from PySide6.QtWidgets import QFrame, QHBoxLayout, QLabel, QSlider, QSpinBox, QToolButton, QWidget

from xrayview.display.cine import FASTEST_HZ, SLOWEST_HZ
from xrayview.ui.style import icons


class FrameBar(QFrame):
    """Visible only for films of several frames. Frames count from 0 here, from 1 on screen."""

    frame_requested = Signal(int)
    """The user requests a frame; `show_frame` follows once it is displayed."""
    playing_changed = Signal(bool)

    def __init__(self, parent: QWidget | None = None) -> None:
        super().__init__(parent)
        self.setProperty("panel", True)
        self.frames = 1
        self.frame = 0
        self._requested = 0
        self._timer = QTimer(self, timerType=Qt.TimerType.PreciseTimer)
        self._timer.timeout.connect(self._tick)
        self.play_button = self._button()
        self.slider = QSlider(Qt.Orientation.Horizontal)
        self.slider.setAccessibleName("Frame")
        self.slider.setToolTip("Displayed frame")
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
        """Show the bar for another film; hide it for a film of a single frame."""
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
        """Show that this frame is displayed."""
        self.frame = frame
        if self.playing or not self.slider.isSliderDown():
            self._set_requested(frame)
        self.count.setText(f"{frame + 1} / {self.frames}")

    def step(self, frames: int) -> None:
        """Step by this many frames, up to the first or last one; stops playing."""
        self.pause()
        self.go(self._requested + frames)

    def go(self, frame: int) -> None:
        """Request this frame, limited to the existing ones; stops playing."""
        self.pause()
        self._request(min(max(frame, 0), self.frames - 1))

    @property
    def playing(self) -> bool:
        """Whether the frames are being played."""
        return self._timer.isActive()

    def play(self) -> None:
        """Play the frames in a loop."""
        if self.frames > 1 and not self.playing:
            self._timer.start(round(1000 / self.rate.value()))
            self._refresh_button()

    def pause(self) -> None:
        """Stop at the displayed frame."""
        if self.playing:
            self._timer.stop()
            self._set_requested(self.frame)
            self._refresh_button()

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
        # Wait for a frame that is still being loaded, so that none is skipped.
        if self._requested == self.frame:
            self._request((self.frame + 1) % self.frames)

    def _request(self, frame: int) -> None:
        if frame != self._requested:
            self._set_requested(frame)
            self.frame_requested.emit(frame)

    def _set_requested(self, frame: int) -> None:
        self._requested = frame
        with QSignalBlocker(self.slider):
            self.slider.setValue(frame)

    def _on_slider(self, frame: int) -> None:
        self.pause()
        self._requested = frame
        self.frame_requested.emit(frame)

    def _on_rate(self, rate_hz: int) -> None:
        self._timer.setInterval(round(1000 / rate_hz))

    def _refresh_button(self) -> None:
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
