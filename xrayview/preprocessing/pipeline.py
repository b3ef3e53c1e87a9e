"""The preprocessing that training, the app and the command line share."""

from __future__ import annotations

import hashlib
import json
from dataclasses import asdict

import cv2
import numpy as np
import numpy.typing as npt

from xrayview.domain.model import Affine, ModelInput, PreprocessSpec
from xrayview.domain.radiograph import Radiograph
from xrayview.errors import ModelError
from xrayview.preprocessing import geometry, intensity

GreyHW = npt.NDArray[np.float32]
InputCHW = npt.NDArray[np.float32]

KNOWN_VERSION = 1
_FLAT = 1e-6
"""Grey levels closer than this count as equal, so that rounding noise is not amplified."""


class Preprocessor:
    """Applies a spec to films: stateless, deterministic, bit-identical for the same film.

    `preprocessing_id` identifies the spec (12 hex digits of the SHA-256 of its canonical JSON).

    Raises:
        ModelError: the spec has an unknown version.
    """

    def __init__(self, spec: PreprocessSpec) -> None:
        if spec.version != KNOWN_VERSION:
            raise ModelError(
                f"Preprocessing version {spec.version} is not supported",
                why=f"this program supports version {KNOWN_VERSION}",
                hint="Use the version of XrayView that the model was made for.",
            )
        self.spec = spec
        self.preprocessing_id = _identify(spec)

    def __call__(self, radiograph: Radiograph) -> ModelInput:
        """The film as the model's input, and the map between their coordinates.

        Equals `finish(grey(radiograph))` bit for bit.

        Raises:
            UnreadableFilm: DECODE_FAILED when a value is NaN or infinite.
        """
        grey_HW = self.grey(radiograph)
        flat = ("Every pixel has the same grey.",) if np.ptp(grey_HW) == 0 else ()
        rows, columns = radiograph.pixels_HW.shape
        return ModelInput(
            film_id=radiograph.ref.film_id,
            x_CHW=self.finish(grey_HW),
            film_to_input=self.film_to_input((rows, columns)),
            film_size=(rows, columns),
            preprocessing_id=self.preprocessing_id,
            warnings=(*radiograph.warnings, *flat),
        )

    def film_to_input(self, film_size: tuple[int, int]) -> Affine:
        """The map from film to input pixel coordinates, for a film of (rows, columns)."""
        return geometry.placement_of(film_size, self.spec).film_to_input

    def grey(self, radiograph: Radiograph) -> GreyHW:
        """The part that training caches: float32 of `spec.size` in 0..1, bright is dense.

        Equalised but not standardised: grey augmentation is applied between this and `finish`.
        Input pixels outside the film are 0.

        Raises:
            UnreadableFilm: DECODE_FAILED when a value is NaN or infinite.
        """
        grey_HW, placement = geometry.resize(intensity.to_grey(radiograph, self.spec), self.spec)
        equalize = intensity.EQUALIZE[self.spec.equalize]
        # Only the film: the background around it would distort the histogram.
        grey_HW[placement.input] = equalize(np.ascontiguousarray(grey_HW[placement.input]))
        return grey_HW

    def finish(self, grey_HW: GreyHW) -> InputCHW:
        """Grey in 0..1 to the model's input: float32 of `spec.channels` x `spec.size`.

        Scales to `value_range`, then subtracts the mean and divides by the standard deviation:
        those of the spec, or with `standardize` = `film` those of this input (constant input
        becomes 0).
        """
        spec = self.spec
        low, high = spec.value_range
        x_HW = np.asarray(grey_HW, np.float32) * np.float32(high - low) + np.float32(low)
        mean, std = spec.mean, spec.std
        if spec.standardize == "film":
            film_mean, film_std = (float(value[0, 0]) for value in cv2.meanStdDev(x_HW))
            mean = (film_mean,)
            std = (film_std if film_std > _FLAT * abs(high - low) else 1.0,)
        mean_C11, std_C11 = (np.asarray(v, np.float32).reshape(-1, 1, 1) for v in (mean, std))
        x_CHW = np.broadcast_to(x_HW, (spec.channels, *x_HW.shape)) - mean_C11
        x_CHW /= std_C11
        return x_CHW


def _identify(spec: PreprocessSpec) -> str:
    # Numbers as floats, so that a spec from Python and the same one from JSON are equal.
    plain = {
        key: [float(v) for v in value] if isinstance(value, tuple) else value
        for key, value in asdict(spec).items()
    }
    canonical = json.dumps(plain, sort_keys=True, separators=(",", ":"))
    return hashlib.sha256(canonical.encode()).hexdigest()[:12]
