{{ day_sources('chatter_presence') }}
