"""The bodies, suites and the pretrained checkpoint that ship with MorphNet."""
