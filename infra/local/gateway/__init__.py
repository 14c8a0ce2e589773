"""API Gateway on one machine: the WebSocket API, the REST API and the one port they share.

Only the local platform, tests and benches import it; it never ships in a Lambda. What a handler sees here
(events, limits, errors) is what API Gateway would show it, so that handlers need not know where they run.
"""
