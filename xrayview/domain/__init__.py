"""Frozen types that every layer speaks; numpy and the standard library only."""
