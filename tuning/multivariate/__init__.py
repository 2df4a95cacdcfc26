"""Principal components of a unit: from recorded normal operation to the model that T2 and SPE go by."""
