"""Whether a name may be written into the pixels of a film, where no program takes it out."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from xrayview.domain.radiograph import Radiograph

SECONDARY_CAPTURES = "1.2.840.10008.5.1.4.1.1.7"
"""Secondary Capture Image Storage and its multi-frame kinds, by their common root."""
_LOOK = "Look at it before you pass it on."


@dataclass(frozen=True)
class BurnedIn:
    """What is known; `text` is empty where the file says that there is nothing."""

    kind: Literal["none", "unknown", "likely"]
    text: str = ""


def burned_in(radiograph: Radiograph) -> BurnedIn:
    """From Burned In Annotation (0028,0301), else from what kind of picture it is."""
    said = radiograph.burned_in.strip().upper()
    if said == "NO":
        return BurnedIn("none")
    if said == "YES":
        return BurnedIn(
            "likely", f"The file says that text is written into its pixels: perhaps a name. {_LOOK}"
        )
    if not radiograph.ref.has_tags:
        return BurnedIn("likely", f"Pictures often have a name written into them. {_LOOK}")
    if radiograph.attributes.get("SOPClassUID", "").startswith(SECONDARY_CAPTURES):
        return BurnedIn("likely", f"Screen captures often have a name written into them. {_LOOK}")
    return BurnedIn(
        "unknown", f"The file does not say whether a name is written into its pixels. {_LOOK}"
    )
