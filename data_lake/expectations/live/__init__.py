"""What is expected of the live world."""
