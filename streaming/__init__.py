"""Stage 3: topic orders -> tables transactions_cln and quarantine."""
