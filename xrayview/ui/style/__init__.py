"""Theme, colours, icons and fonts."""
