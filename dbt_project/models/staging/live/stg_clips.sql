{{ staged_states('clips') }}
