{{ day_sources('api_calls') }}
