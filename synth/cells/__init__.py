"""Cell libraries: reading a liberty file, and the project's own generic one."""
