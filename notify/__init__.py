"""Telling people and machines: alerts, who has taken them, and when somebody may be told."""
