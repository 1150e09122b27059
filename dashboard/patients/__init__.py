"""The clinician's list: who changed, since when, how sure, and who has looked."""
