{{ staged_events('viewer_counts') }}
