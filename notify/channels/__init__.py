"""The channels by which somebody can be told, one module each."""
