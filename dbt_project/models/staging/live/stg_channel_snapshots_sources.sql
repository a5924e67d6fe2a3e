{{ day_sources('channel_snapshots') }}
