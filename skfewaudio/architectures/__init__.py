"""Networks, torch.nn only: one paper a file."""
