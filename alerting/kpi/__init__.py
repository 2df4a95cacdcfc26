"""Key figures of alarm management (ISA-18.2, IEC 62682, EEMUA 191), computed from the journal and from nothing else."""
