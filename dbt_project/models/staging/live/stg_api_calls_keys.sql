{{ staged_keys('api_calls') }}
