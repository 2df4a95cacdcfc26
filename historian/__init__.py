"""The time-series store of samples: disk spool, forwarder, InfluxDB and the embedded DuckDB."""
