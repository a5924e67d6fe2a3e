{{ staged_events('channel_snapshots') }}
