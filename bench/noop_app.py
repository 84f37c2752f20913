"""The real application with one more endpoint, `POST /bench/noop`: same process, same hooks, nothing to do. Only for bench.http."""

from flask import Response

from api import create_app

app = create_app()


@app.post("/bench/noop")
def noop() -> Response:
    """Answer at once; the body is not read."""
    return Response(b"{}", mimetype="application/json")
