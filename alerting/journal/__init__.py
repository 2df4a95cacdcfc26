"""The journal as a record that stands in an inquiry: chained, signed, checked."""
