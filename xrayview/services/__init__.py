"""What the session is doing: no Qt, no arithmetic."""
