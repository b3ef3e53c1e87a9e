"""One viewport: a film with its window, its corner texts and its heat map."""
