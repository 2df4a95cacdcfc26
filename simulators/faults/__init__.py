"""What goes wrong between a plant and the service: in its instruments, and in the gateways that send their readings."""
