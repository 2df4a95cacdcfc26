"""Links to the MQTT broker: one Protocol, two implementations."""
