{{ staged_samples('viewer_counts') }}
