"""`grid`: backbones with and without augmentation, each kept by several figures; one table."""
