"""Who is told of an infant's alerts, how, and when."""
