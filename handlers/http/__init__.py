"""The HTTP edge for agents."""
