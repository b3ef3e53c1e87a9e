"""Right: may the model judge this film, what it scores, how sure it is, and where it looked."""
