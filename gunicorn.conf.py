"""gunicorn, as Linewise runs it. Read by `gunicorn wsgi:app` from the folder in which it is started, and again at SIGHUP."""

import atexit
import gc
import os
import shutil
import sys
import tempfile

gc.disable()  # what is loaded at the start is kept, not garbage; each worker collects again (post_fork)

# Before anything that counts is imported: each worker writes its counters there, and a scrape adds them up.
if "PROMETHEUS_MULTIPROC_DIR" not in os.environ or os.environ.get("LINEWISE_METRICS_OWNER", str(os.getpid())) != str(os.getpid()):
    os.environ["PROMETHEUS_MULTIPROC_DIR"] = tempfile.mkdtemp(prefix="linewise-metrics-")
    os.environ["LINEWISE_METRICS_OWNER"] = str(os.getpid())

from prometheus_client import multiprocess  # noqa: E402

from api import access, settings  # noqa: E402
from api import reload as renewal  # noqa: E402


def _tidy(owner, folder):
    if os.getpid() == owner:
        shutil.rmtree(folder, ignore_errors=True)


if os.environ.get("LINEWISE_METRICS_OWNER") == str(os.getpid()):
    atexit.register(_tidy, os.getpid(), os.environ["PROMETHEUS_MULTIPROC_DIR"])

try:
    _chosen = settings.read()
    access.guard([_chosen.bind], _chosen)
except settings.SettingsError as error:
    if "wsgi" not in sys.modules:
        sys.exit(f"Linewise cannot start. {error}")
    _chosen = sys.modules["wsgi"].app.extensions["linewise"].settings  # at SIGHUP the old service goes on; on_reload tells why

bind = _chosen.bind
workers = int(os.environ.get("WEB_CONCURRENCY", "2"))
threads = int(os.environ.get("LINEWISE_THREADS", "4"))  # a plan or a batch holds one of them; checks go on in the others
worker_class = "api.worker.Worker"
worker_connections = 512
preload_app = True  # the knowledge is loaded once and shared by all workers
timeout = 60
keepalive = 15
graceful_timeout = 30  # seconds that running requests have to end after SIGTERM
control_socket_disable = True  # nothing but the service itself listens
limit_request_line = 4094
limit_request_field_size = 8190
limit_request_fields = 60
errorlog = "-"
accesslog = None  # the application writes one line for each request
proc_name = "linewise"


def on_starting(server):
    """Refuse addresses given on the command line as well."""
    _guard(server, [f"{address[0]}:{address[1]}" if isinstance(address, tuple) else str(address) for address in server.cfg.address])


def when_ready(server):
    """Look at what is really listened on, for systemd may have opened it; then keep the collector off what was loaded, so that its pages stay shared."""
    names = [listener.sock.getsockname() for listener in server.LISTENERS]
    _guard(server, [f"[{name[0]}]:{name[1]}" if isinstance(name, tuple) else f"unix:{name}" for name in names])
    gc.freeze()


def _guard(server, addresses):
    try:
        if access.guard(addresses, _chosen):
            access.require(server.app.wsgi(), _chosen)
    except settings.SettingsError as error:
        sys.exit(f"Linewise cannot start. {error}")


def on_reload(server):
    """SIGHUP: new knowledge, if it is good."""
    renewal.on_reload(server)


def post_fork(server, worker):
    """Collect garbage again; threads that compute change places more often, so that a short question does not wait for a long one."""
    gc.enable()
    sys.setswitchinterval(0.001)


def worker_exit(server, worker):
    """Tell the audit trail what could not be written, before this worker is gone."""
    server.app.callable.extensions["linewise-audit"].declare()


def child_exit(server, worker):
    """Keep the counts of a worker that ended; forget what only it could say."""
    multiprocess.mark_process_dead(worker.pid)
