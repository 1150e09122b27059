"""The stage of telling."""
