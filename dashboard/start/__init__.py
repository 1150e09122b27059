"""Getting started without a manual: accounts, infants, monitors, people, audio."""
