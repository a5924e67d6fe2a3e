"""The questions, a package each."""
