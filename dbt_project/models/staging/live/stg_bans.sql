{{ staged_states('bans') }}
