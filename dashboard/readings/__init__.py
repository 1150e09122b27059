"""Readings for studies: hear, rate, and see how far people and the model agree."""
