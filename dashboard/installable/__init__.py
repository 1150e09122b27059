"""What makes the pages installable on a phone, and honest without a network."""
