"""Formats of the live world: chats, streams and platforms' exports, one package each."""
