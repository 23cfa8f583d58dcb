"""How fast the engine is, beside what others offer for the same work."""
