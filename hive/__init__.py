"""Stage 5: transactions_cln and customers_cln -> table loyalty, and everything else that is SQL."""
