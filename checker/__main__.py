"""`python -m checker`: every module of commands that is imported here adds its own to the group."""

from checker import plan_cli  # noqa: F401 - adds the plan command
from checker.cli import main

main(prog_name="python -m checker")
