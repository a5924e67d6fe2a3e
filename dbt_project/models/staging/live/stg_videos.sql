{{ staged_states('videos') }}
