"""What a run builds: the days in which raw/ differs from what the warehouse was last built from."""
