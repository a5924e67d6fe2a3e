"""Clients of platform APIs: they fetch pages into landing/ as received. What a page means belongs to `sources`."""
