"""The workbench: pages for people, made on the server. They work without script; with it, they answer while you type."""

from api.pages import check, drug, explore, feedback, plan, records
from api.pages.frame import bp, install

__all__ = ["bp", "check", "drug", "explore", "feedback", "install", "plan", "records"]
