"""Evaluation of the method on recordings: protocols, metrics, controls and their commands."""
