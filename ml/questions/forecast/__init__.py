"""What comes next: daily and weekly series of each channel, and the next stream of each creator."""
