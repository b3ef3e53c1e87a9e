"""Describing a TorchScript file that has no model card."""
