"""Pull files of the Twitch Helix client: pages as received, with the calls they took (see `clients.pull_file`)."""

from data_lake.sources.live.twitch_helix.reader import SOURCE

__all__ = ["SOURCE"]
