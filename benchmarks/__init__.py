"""What is scored or timed, against what, and the raw results (``results/``)."""
