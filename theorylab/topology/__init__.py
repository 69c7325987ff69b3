"""How connected are sublevel sets: exact paths, walls and the certificates of both."""
