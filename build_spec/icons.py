"""The program's icon as PNG, .ico and .icns, drawn from the SVG at build.

python -m build_spec.icons build/icons
"""

from __future__ import annotations

import os
import sys
from pathlib import Path

from PIL import Image

from build_spec.recipe import RESOURCES

SOURCE = RESOURCES / "icons/xrayview.svg"
SIZES_PX = (16, 22, 24, 32, 48, 64, 128, 256, 512)
ICO_PX = (16, 24, 32, 48, 64, 128, 256)
ICNS_PX = (1024, (16, 32, 64, 128, 256, 512, 1024))


def draw(folder: Path) -> dict[int, Path]:
    """Draw `xrayview-SIZE.png` in all sizes, `.ico` and `.icns`. Raises: OSError."""
    os.environ.setdefault("QT_QPA_PLATFORM", "offscreen")
    from PySide6.QtCore import Qt
    from PySide6.QtGui import QGuiApplication, QImage, QPainter
    from PySide6.QtSvg import QSvgRenderer

    application = QGuiApplication.instance() or QGuiApplication([])
    folder.mkdir(parents=True, exist_ok=True)
    renderer = QSvgRenderer(str(SOURCE))
    drawn = {}
    for size in sorted({*SIZES_PX, *ICO_PX, *ICNS_PX[1]}):
        image = QImage(size, size, QImage.Format.Format_ARGB32)
        image.fill(Qt.GlobalColor.transparent)
        painter = QPainter(image)
        renderer.render(painter)
        painter.end()
        drawn[size] = folder / f"xrayview-{size}.png"
        if not image.save(str(drawn[size])):
            raise OSError(f"{drawn[size]} cannot be written")
    pictures = {size: Image.open(path).convert("RGBA") for size, path in drawn.items()}
    largest, others = pictures[256], [pictures[size] for size in ICO_PX]
    largest.save(folder / "xrayview.ico", sizes=[(px, px) for px in ICO_PX], append_images=others)
    pictures[1024].save(
        folder / "xrayview.icns", append_images=[pictures[size] for size in ICNS_PX[1]]
    )
    del application
    return drawn


if __name__ == "__main__":
    draw(Path(sys.argv[1]))
