"""What the next stream can expect: average and peak viewers for a weekday, hour, category and duration."""
