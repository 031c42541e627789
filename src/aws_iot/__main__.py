"""`python -m aws_iot`: the command where no script is installed."""

from aws_iot.cli import main

main()
