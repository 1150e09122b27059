"""What is made for paper: the protocol of 24 hours, and the report on a stretch of time."""
