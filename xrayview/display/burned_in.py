"""Whether a name may be burned into the pixels of a film, where no program removes it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from xrayview.domain.radiograph import Radiograph

SECONDARY_CAPTURES = "1.2.840.10008.5.1.4.1.1.7"
"""Secondary Capture Image Storage and its multi-frame variants, by their common root."""
_ADVICE = "Check it before you share it."


@dataclass(frozen=True)
class BurnedIn:
    """How likely a name in the pixels is; `text` is empty where the file declares none."""

    kind: Literal["none", "unknown", "likely"]
    text: str = ""


def burned_in(radiograph: Radiograph) -> BurnedIn:
    """Classify by Burned In Annotation (0028,0301), else by the kind of picture."""
    declared = radiograph.burned_in.strip().upper()
    if declared == "NO":
        return BurnedIn("none")
    if declared == "YES":
        return BurnedIn(
            "likely",
            "The file declares that text is burned into its pixels, possibly a patient's name. "
            f"{_ADVICE}",
        )
    if not radiograph.ref.has_tags:
        return BurnedIn("likely", f"Pictures often have a name burned into them. {_ADVICE}")
    if radiograph.attributes.get("SOPClassUID", "").startswith(SECONDARY_CAPTURES):
        return BurnedIn("likely", f"Screen captures often have a name burned into them. {_ADVICE}")
    return BurnedIn(
        "unknown",
        f"The file does not say whether a name is burned into its pixels. {_ADVICE}",
    )
