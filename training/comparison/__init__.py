"""`runs`: run folders side by side, from their files only."""
