"""The room of alerts: what is unusual, who has taken it, what it was, and when nobody is told."""
