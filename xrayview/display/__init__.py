"""A film becomes grey on screen: pure functions on arrays, no Qt."""
