{{ staged_states('channel_roles') }}
