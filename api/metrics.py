"""What is counted, for Prometheus: the sum over all workers, and the state of the one that answers."""

from __future__ import annotations

import os
from collections.abc import Iterator

from flask import Blueprint, Response, current_app
from prometheus_client import CONTENT_TYPE_LATEST, REGISTRY, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily, Metric
from prometheus_client.multiprocess import MultiProcessCollector
from prometheus_client.registry import Collector

from api.rates import Together
from api.service import service

bp = Blueprint("metrics", __name__)


@bp.get("/metrics")
def metrics() -> Response:
    """The counts of all workers, and the state of the one that answers."""
    if "PROMETHEUS_MULTIPROC_DIR" in os.environ:
        shared = CollectorRegistry()
        MultiProcessCollector(shared)  # type: ignore[no-untyped-call]
    else:
        shared = REGISTRY
    here = CollectorRegistry()
    here.register(_State())
    return Response(generate_latest(shared) + generate_latest(here), content_type=CONTENT_TYPE_LATEST)


class _State(Collector):
    """The state of the worker that answers."""

    def collect(self) -> Iterator[Metric]:
        known = service().knowledge
        info = GaugeMetricFamily("linewise_knowledge_info", "The knowledge in force.", labels=["version", "digest"])
        info.add_metric([known.version, known.digest], 1)
        yield info
        yield GaugeMetricFamily(
            "linewise_knowledge_drugs", "Drugs, fluids and nutrition in the knowledge in force.", value=len(known.drugs)
        )
        audit = current_app.extensions["linewise-audit"]
        if audit.mode != "off" or current_app.extensions["linewise-access"].required:
            yield GaugeMetricFamily("linewise_database_up", "1 when the database answers.", value=float(audit.database.up()))
        limiter = current_app.extensions["linewise-access"].limiter
        if limiter is not None and isinstance(limiter.storage, Together):
            yield GaugeMetricFamily("linewise_rate_store_up", "1 when requests are counted together.", value=float(limiter.storage.up))
        if audit.mode != "off":
            yield GaugeMetricFamily(
                "linewise_audit_degraded", "1 when audit rows are missing that the chain does not tell of yet.", value=float(audit.degraded)
            )
