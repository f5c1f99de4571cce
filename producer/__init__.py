"""Stage 1: Faker orders and given receipts -> order log files."""
