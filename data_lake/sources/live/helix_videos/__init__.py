"""Pages of the Twitch Helix API's `GET /videos`: the archives of streams, uploads and highlights."""

from data_lake.sources.live.helix_videos.reader import SOURCE

__all__ = ["SOURCE"]
