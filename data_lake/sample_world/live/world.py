"""Who streams what, when and how strongly: the constants of the live world.

Everything planted as an effect has its number here, and `truth` writes the same numbers down. What happens in one
broadcast does not belong here (see `schedule`, `incidents`, `audience`, `chat`).
"""

from __future__ import annotations

from dataclasses import dataclass

from data_lake.sample_world.settings import Settings

MESSAGES, VIEWERS = 400_000, 6_000
# Above this, rows go straight to raw/: writing and parsing gigabytes of JSON would measure nothing but JSON.
DIRECT_ABOVE_SCALE = 3.0
MAXIMUM_SCALE = 10_000_000 / MESSAGES
# The tools whose exports the world consists of, by the names of the sources that read them.
TWITCH_TOOL, RELAY = "twitch_downloader", "streampai"
# The last days in which the same Twitch chat of creator B arrives by two tools.
TWO_TOOLS_DAYS = 90


@dataclass(frozen=True)
class Channel:
    """One channel: its share of all messages, its average viewers on the first day, and how late its chat reacts."""

    creator: int
    platform: str
    channel_id: str
    login: str
    display_name: str
    message_share: float
    first_viewers: float
    growth_per_400_days: float
    chat_lag_seconds: float
    first_followers: int
    emote_prefix: str


@dataclass(frozen=True)
class Creator:
    """One creator: chance of going live by weekday (Monday first), usual local start and hours, what draws viewers."""

    index: int
    user_id: str
    name: str
    time_zone: str
    weekday_chance: tuple[float, ...]
    start_hour: float
    hours: float
    categories: dict[str, float]
    category_effect: dict[str, float]
    weekday_effect: tuple[float, ...]
    currency: str
    bot: str
    channels: tuple[Channel, ...]


MARA = Creator(
    index=0,
    user_id="5b0c7a52-6f0e-4c53-9d6b-2d1f6a7c1a01",
    name="Mara Quill",
    time_zone="America/New_York",
    weekday_chance=(0.9, 0.15, 0.85, 0.2, 0.75, 0.9, 0.35),
    start_hour=19.0,
    hours=3.1,
    categories={"Elden Ring": 0.42, "Minecraft": 0.33, "Just Chatting": 0.25},
    category_effect={"Elden Ring": 1.20, "Minecraft": 0.90, "Just Chatting": 0.75},
    weekday_effect=(0.92, 0.9, 0.95, 0.95, 1.08, 1.18, 1.05),
    currency="USD",
    bot="nightbot",
    channels=(Channel(0, "twitch", "184203917", "maraquill", "MaraQuill", 0.48, 190.0, 1.1, 100.0, 8_400, "mara"),),
)
TOM = Creator(
    index=1,
    user_id="c1e4d9aa-3b7f-4e0c-8a55-7f90b2c46b02",
    name="Tom Brandt",
    time_zone="Europe/Berlin",
    weekday_chance=(0.1, 0.8, 0.15, 0.85, 0.1, 0.3, 0.85),
    start_hour=18.5,
    hours=2.8,
    categories={"Chess": 0.4, "Software and Game Development": 0.35, "Music": 0.25},
    category_effect={"Chess": 1.25, "Software and Game Development": 0.80, "Music": 0.95},
    weekday_effect=(0.9, 0.95, 0.95, 1.0, 1.0, 1.1, 1.15),
    currency="EUR",
    bot="streamelements",
    channels=(
        Channel(1, "twitch", "50718264", "tombrandt", "TomBrandt", 0.32, 130.0, 0.7, 80.0, 5_100, "tom"),
        Channel(
            1,
            "youtube",
            "UCq7VtB2nXh3mKd0Lr9sPw8A",
            "tombrandtlive",
            "Tom Brandt",
            0.20,
            80.0,
            1.6,
            130.0,
            11_900,
            "brandt",
        ),
    ),
)
CREATORS = (MARA, TOM)
CHANNELS = tuple(channel for creator in CREATORS for channel in creator.channels)
OFF_HOURS_EFFECT = 0.70
# Most viewers leave a long evening late: from this minute on, the audience melts to a floor with this time constant.
FADE_FROM_MINUTES, FADE_MINUTES, FADE_FLOOR = 150.0, 70.0, 0.42
# Share of a raid still there after that many minutes.
RAID_KEPT = {10: 0.62, 30: 0.40, 60: 0.24}
# Share of the viewers a raid brought who become regulars, by whether the raider streamed the same category.
RAID_RETAINED = {True: 0.45, False: 0.12}
# A known subject of the world becomes three times as frequent from this share of the days on.
TREND_SUBJECT, TREND_FROM, TREND_FACTOR = "speedrunning", 0.55, 3.0


@dataclass(frozen=True)
class LiveSettings(Settings):
    """What a live world is drawn from. Raises ValueError for more than ten million messages."""

    def __post_init__(self) -> None:
        super().__post_init__()
        if not 0 < self.scale <= MAXIMUM_SCALE:
            raise ValueError(
                f"scale must be above 0 and at most {MAXIMUM_SCALE:g} (ten million messages), not {self.scale}"
            )

    @property
    def is_direct(self) -> bool:
        return self.scale > DIRECT_ABOVE_SCALE

    @property
    def messages(self) -> float:
        return MESSAGES * self.scale

    @property
    def audience(self) -> float:
        """Factor on concurrent viewers; small worlds keep enough of them to be measured."""
        return max(self.scale, 0.25)
