"""Displaying films: grey-scale, overlays, measurements and figures; pure functions, no Qt."""
