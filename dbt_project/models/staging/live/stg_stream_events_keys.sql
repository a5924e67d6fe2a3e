{{ staged_keys('stream_events') }}
