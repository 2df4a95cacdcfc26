"""The configuration's revisions: kept in the ledger, compared, and applied while the service runs."""
