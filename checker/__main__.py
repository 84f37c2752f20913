"""`python -m checker`: every module of commands that is imported here adds its own to the group."""

from checker import batch_cli, plan_cli  # noqa: F401 - they add batch, report and plan
from checker.cli import main

main(prog_name="python -m checker")
