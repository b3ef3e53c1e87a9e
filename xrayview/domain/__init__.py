"""Frozen types that all layers share; numpy and the standard library only."""
