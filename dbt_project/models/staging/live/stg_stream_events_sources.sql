{{ day_sources('stream_events') }}
