"""Work on recorded data, away from the live service."""
