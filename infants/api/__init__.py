"""The HTTP interface to infants, sessions and recordings: uploads in, rows out."""
