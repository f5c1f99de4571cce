"""Stage 6: HBase table orders -> a member's newest orders at the till."""
