"""Reading sessions: verdicts on films, blinded or not."""
