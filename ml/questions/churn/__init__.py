"""Who is about to leave: per creator, platform and viewer, the probability of no activity in four coming weeks."""
