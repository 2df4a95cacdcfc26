"""Plant models, their instruments, the demo's scripted leak, and publishers that behave as gateways do.

Payloads are encoded here without the codecs of ``ingest``, so that a fault of one cannot hide a fault of the other.
"""
