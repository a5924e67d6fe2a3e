{{ staged_states('subscriptions') }}
