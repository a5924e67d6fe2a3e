"""Who is about to leave: per creator, platform and viewer, the probability of no trace in four coming weeks."""
