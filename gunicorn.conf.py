"""gunicorn, as Linewise runs it. Read by `gunicorn wsgi:app` from the folder in which it is started."""

import gc
import os
import sys

from api import settings

try:
    _chosen = settings.read()
    settings.refuse_open([_chosen.bind], _chosen.allow_open)
except settings.SettingsError as error:
    sys.exit(f"Linewise cannot start. {error}")

bind = _chosen.bind
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
preload_app = True  # the knowledge is loaded once and shared by all workers
timeout = 30
graceful_timeout = 30  # seconds that running requests have to end after SIGTERM
control_socket_disable = True  # nothing but the service itself listens
limit_request_line = 4094
limit_request_field_size = 8190
errorlog = "-"
accesslog = None  # the application writes one line for each request


def on_starting(server):
    """Refuse addresses given on the command line as well."""
    try:
        settings.refuse_open([str(address[0]) if isinstance(address, tuple) else str(address) for address in server.cfg.address], _chosen.allow_open)
    except settings.SettingsError as error:
        sys.exit(f"Linewise cannot start. {error}")


def when_ready(server):
    """Keep the collector off what was loaded, so that its pages stay shared after the fork."""
    gc.collect()
    gc.freeze()
