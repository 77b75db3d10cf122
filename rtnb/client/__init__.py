"""The client: where to connect, with what, how frames travel, and the session that is made of them."""
