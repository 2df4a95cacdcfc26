"""Evidence of an incident 证据包: one ZIP that proves itself without the database. Its format: docs/evidence.md."""
