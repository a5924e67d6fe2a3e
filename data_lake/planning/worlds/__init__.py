"""One module per world that has planning of its own (see `planning.world`)."""
