{{ staged_events('api_calls') }}
