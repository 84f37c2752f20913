"""A bare Flask application that is ready at once: the baseline of bench.start."""

from flask import Flask

app = Flask(__name__)


@app.get("/readyz")
def ready() -> str:
    """Ready."""
    return "ready"
