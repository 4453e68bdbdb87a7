"""The command line: `fillproof demo`, `fillproof replay`, `fillproof run`."""
