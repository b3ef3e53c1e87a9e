"""The film's grey values with its window over them."""
