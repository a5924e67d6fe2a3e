{{ staged_states('scheduled_streams') }}
