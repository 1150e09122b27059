"""Who and what: infants, care teams, sessions, recordings, cries, diary; upload; access."""
