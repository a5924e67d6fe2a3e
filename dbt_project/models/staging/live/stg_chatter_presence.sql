{{ staged_events('chatter_presence') }}
