"""`python -m console` is `fillproof`."""

from console.main import main

main()
