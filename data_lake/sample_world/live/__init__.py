"""The live world: three channels of two creators over a year, written as the exports of two real tools.

Creator A streams on Twitch, creator B on Twitch and YouTube at once. TwitchDownloader chat files and Streampai tables
go to landing/; above `DIRECT_ABOVE_SCALE` chat, samples and events go straight to raw/ (the files then hold the rest).

What was planted lies in truth/, one Parquet file per kind:

- streams: one row per broadcast and channel: true start, end, average and peak viewers, messages, main category and
  subject, `special` (26_hours, minute_45), what the slot was drawn to attract (`draw`).
- subjects: windows of broadcasts with the subject people wrote about.
- moments: what was exciting; viewers rise at `viewers_from`, chat follows between `chat_from` and `chat_to`.
- raids: with the viewers brought, the newcomers who wrote, and how many of them were given a lasting tie.
- anomalies: spikes, surges, drop-offs and holes; `cause` names the explanation the data holds, null for none. A moment
  is also a chat_surge. The start and end of a broadcast are not listed.
- spells: toxic stretches, copypasta, spam bots. sanctions: bans and timeouts. bots: known ones and spammers.
- viewers: one row per account and channel with its latent loyalty, tastes and dates, and what it wrote in all.
- churners: those of them who left within the world: abruptly, fading (`signs_from`) or banned.
- effects: the numbers behind viewers, chat, raids and growth. exports: the files, with what is wrong about them.
"""

from __future__ import annotations

from data_lake.sample_world.base import World
from data_lake.sample_world.live.simulation import write
from data_lake.sample_world.live.world import LiveSettings

WORLD = World("live", LiveSettings, write)
