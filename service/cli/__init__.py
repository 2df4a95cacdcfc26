"""The command line. Each command's module is imported when it is called, so that ``--help`` answers at once."""
