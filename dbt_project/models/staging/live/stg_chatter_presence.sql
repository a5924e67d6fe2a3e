{{ staged_samples('chatter_presence') }}
