"""The door for gunicorn: `gunicorn wsgi:app` (settings: gunicorn.conf.py, api/settings.py)."""

import sys

from api import create_app
from api.settings import SettingsError
from knowledge import KnowledgeError

try:
    app = create_app()
except (SettingsError, KnowledgeError) as error:
    sys.exit(f"Linewise cannot start. {error}")
