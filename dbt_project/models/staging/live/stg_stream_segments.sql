{{ staged_states('stream_segments') }}
