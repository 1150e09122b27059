"""Monitors as such: credentials and what a device says of itself."""
