"""What the service answers by itself: replies, sums, tool calls. Pure; the same question gives the same answer."""
