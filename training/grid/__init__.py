"""`grid`: train backbones with and without augmentation, choose epochs by several metrics."""
