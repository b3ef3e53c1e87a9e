"""The histogram of the film's grey values, with its window."""
