"""Streampai as a client: its tables straight from its database."""
