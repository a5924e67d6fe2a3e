"""Twitch: its endpoints, scopes and login, and what is peculiar to Helix."""
