"""What makes open pages follow what happens."""
