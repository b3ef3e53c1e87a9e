"""The views in the centre: several films side by side, linked views and the prior film."""
