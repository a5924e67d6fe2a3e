{{ staged_samples('channel_snapshots') }}
