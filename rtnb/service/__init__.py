"""The local realtime service: a WebSocket server on loopback that speaks both dialects, and needs no account.

It is blind to `rtnb.client`: the two meet only on the wire.
"""
