{{ staged_states('follows') }}
