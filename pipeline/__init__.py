"""What all stages share: the order line, settings, programme rules, errors, the command line."""
