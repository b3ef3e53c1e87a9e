"""Asking what a TorchScript file from elsewhere does not say of itself."""
