"""The caregiver's pages: how it is now, what was heard, what was written down."""
