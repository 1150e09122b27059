"""The bridge to a home's MQTT broker: infants as Home Assistant shows them, without a name."""
