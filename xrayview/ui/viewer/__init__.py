"""The viewer of one film, with its window, its corner texts and its heat map."""
