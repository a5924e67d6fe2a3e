{{ staged_states('channel_daily_metrics') }}
