"""New knowledge without losing a request: what the master of gunicorn does at SIGHUP.

The release in LINEWISE_KNOWLEDGE is checked in a process of its own: its checksum, whether it loads, and whether lint finds
an error. Only then does the master load it, from the cache that the check has filled, and new workers serve it while the
old ones end what they are answering. A release that is refused changes nothing but the log.
"""

from __future__ import annotations

import gc
import subprocess
import sys
import time
from typing import Any

from api import create_app, settings
from api.logs import lines
from api.settings import Settings, SettingsError
from knowledge import KnowledgeError

CHECK_SECONDS = 300


def refused(chosen: Settings) -> str:
    """Why a release cannot be served; "" when it can."""
    command = [sys.executable, "-m", "api", "release", "check"]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=CHECK_SECONDS, check=False)  # noqa: S603  # this program
    except (OSError, subprocess.SubprocessError) as error:
        return f"the check could not be run ({type(error).__name__})"
    return "" if done.returncode == 0 else (done.stderr.strip() or "the check failed")[:2000]


def fresh(serving: str) -> tuple[Any, str, str]:
    """A new application over the release that is there now: the application, its digest, and why there is none.

    serving: digest of what is served now.
    """
    try:
        chosen = settings.read()
        why = refused(chosen)
        if why:
            return None, serving, why
        app = create_app()
    except (SettingsError, KnowledgeError) as error:
        return None, serving, str(error)[:2000]
    except Exception as error:  # whatever is wrong with a release, the old one goes on
        return None, serving, type(error).__name__
    return app, app.extensions["linewise"].knowledge.digest, ""


def on_reload(server: Any) -> None:
    """gunicorn's hook: give the workers that are about to start the new application, or keep the old one."""
    began = time.monotonic()
    old = server.app.callable
    serving = old.extensions["linewise"].knowledge.digest
    app, digest, why = fresh(serving)
    if app is None:
        lines().error("reload-refused", reason=why, serving=serving)
        return
    app.extensions["linewise-access"].follow(old.extensions["linewise-access"], app)
    server.app.callable = app
    del old
    gc.collect()
    gc.freeze()
    lines().info("reloaded", before=serving, now=digest, changed=digest != serving, seconds=round(time.monotonic() - began, 1))
