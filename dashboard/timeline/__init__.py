"""The clinician's timeline of one infant: a page that zooms, and what lies behind each picture."""
