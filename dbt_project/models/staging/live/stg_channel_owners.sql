{{ staged_states('channel_owners') }}
