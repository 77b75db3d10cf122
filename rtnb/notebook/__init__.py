"""Everything that draws: figures, players, the report page. Loaded when it is first needed, never by ``import rtnb``."""
