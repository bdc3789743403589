"""`python -m streams.cli`: the same as `outwatch`, for child processes of the same interpreter."""

from streams.cli import main

main()
