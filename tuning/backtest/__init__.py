"""Rules over recorded readings: what would have alarmed, evaluated along time by the rules that are live."""
