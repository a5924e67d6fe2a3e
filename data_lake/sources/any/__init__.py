"""Formats of no world: a person says what their rows are."""
