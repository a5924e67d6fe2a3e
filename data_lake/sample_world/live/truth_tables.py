"""The columns of the live world's truth tables. What they mean is in the package's docstring."""

from __future__ import annotations

_WHERE = "creator_id:text platform:text channel_id:text livestream_id:text vod_id:text"
COLUMNS = {
    "streams": f"{_WHERE} started_at:time ended_at:time average_viewers:float peak_viewers:float viewer_hours:float "
    "message_count:int chatter_count:int category:text subject:text special:text crosses_midnight:bool draw:float "
    "chat_effect:float",
    "subjects": f"{_WHERE} started_at:time ended_at:time category:text subject:text message_count:int",
    "moments": f"{_WHERE} kind:text viewers_from:time chat_from:time chat_to:time lag_seconds:float multiplier:float "
    "viewer_lift:float emote:text message_count:int",
    "raids": f"{_WHERE} occurred_at:time raider_login:text raid_viewer_count:int same_category:bool newcomer_count:int "
    "retained_count:int",
    "anomalies": f"{_WHERE} anomaly_type:text started_at:time ended_at:time size:float cause:text",
    "spells": f"{_WHERE} kind:text started_at:time ended_at:time text:text",
    "sanctions": f"{_WHERE} occurred_at:time viewer_id:text duration_seconds:int reason:text",
    "viewers": "creator_id:text platform:text channel_id:text viewer_id:text login:text kind:text joined_at:time "
    "left_at:time leaving:text signs_from:time away_from:time away_to:time attendance:float messages_per_stream:float "
    "favourite_category:text favourite_subject:text subscribed_at:time raid_livestream_id:text streams_attended:int "
    "message_count:int first_message_at:time last_message_at:time",
    "churners": "creator_id:text platform:text channel_id:text viewer_id:text login:text leaving:text signs_from:time "
    "left_at:time last_message_at:time streams_attended:int",
    "bots": "platform:text viewer_id:text login:text kind:text",
    "effects": "effect:text creator_id:text platform:text level:text value:float unit:text",
}
