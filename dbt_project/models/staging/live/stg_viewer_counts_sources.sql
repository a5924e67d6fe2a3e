{{ day_sources('viewer_counts') }}
