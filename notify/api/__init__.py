"""The HTTP interface to alerts."""
