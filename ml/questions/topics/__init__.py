"""What chat is about: topics per creator, named by their terms, followed over weeks, streams and viewers."""
