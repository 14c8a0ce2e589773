"""Business and job figures as CloudWatch metrics, by the embedded format in the log (AWS Lambda Powertools).

For jobs only: the import costs 50 ms, and a frame's log line would cost more than the frame.
"""

from __future__ import annotations

from chalicelib.kernel.context import Context

NAMESPACE = "Wattfare"


def record(ctx: Context, name: str, value: int = 1, **dimensions: str) -> None:
    """Adds one figure where the deployment wants them (setting `metrics`); nothing goes over the network."""
    if ctx.settings.metrics != "on":
        return
    from aws_lambda_powertools.metrics import MetricUnit, single_metric

    with single_metric(name=name, unit=MetricUnit.Count, value=value, namespace=NAMESPACE) as metric:
        for key, text in dimensions.items():
            metric.add_dimension(name=key, value=text)
