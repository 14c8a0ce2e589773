"""The REST side: a small Chalice app behind the gateway, seen by a client."""

from __future__ import annotations

import asyncio
import json
import threading

import aiohttp
import chalice
import pytest
from aws_lambda_powertools.utilities.data_classes import APIGatewayProxyEvent


class Gate:
    """Holds handlers until the test opens it; counts who waits."""

    def __init__(self) -> None:
        self.opened = threading.Event()
        self.arrived = threading.Semaphore(0)

    def wait(self) -> None:
        self.arrived.release()
        if not self.opened.wait(20):
            raise TimeoutError("the test never opened the gate")

    async def somebody_waits(self) -> None:
        assert await asyncio.to_thread(self.arrived.acquire, timeout=10)


def small_app(gate: Gate | None = None) -> chalice.Chalice:
    app = chalice.Chalice("small")
    app.log.propagate = False

    def event():
        return app.current_request.to_original_event()

    app.route("/v1/things", methods=["GET", "POST"], content_types=["application/json", "text/plain"], name="things")(
        event
    )
    app.route("/v1/files", methods=["POST"], content_types=["application/octet-stream"], name="files")(event)
    app.route("/v1/things/{thing_id}/parts/{part_id}", name="part")(lambda thing_id, part_id: event())
    app.route("/v1/things/new", name="new")(lambda: {"literal": True})
    app.route("/v1/things/{thing_id}", methods=["GET", "DELETE"], name="thing")(lambda thing_id: {"id": thing_id})
    app.route("/health", name="health")(lambda: {"status": "ok"})

    @app.route("/v1/answers")
    def answers():
        headers = {"X-One": "1", "Set-Cookie": ["a=1", "b=2"], "Content-Type": "text/csv", "Connection": "close"}
        return chalice.Response("a,b", headers=headers, status_code=201)

    @app.route("/v1/image")
    def image():
        return chalice.Response(b"\x89PNG\x00", headers={"Content-Type": "image/png"})

    @app.route("/v1/broken")
    def broken():
        raise RuntimeError("secret")

    @app.route("/v1/slow/{number}")
    def slow(number):
        gate.wait()
        return {"number": number, "query": app.current_request.query_params["q"]}

    return app


class Client:
    def __init__(self, session: aiohttp.ClientSession, url: str) -> None:
        self._session = session
        self._url = url

    async def send(self, method, path, **options):
        from yarl import URL

        async with self._session.request(method, URL(self._url + path, encoded=True), **options) as answer:
            return answer.status, answer.headers, await answer.read()

    async def event(self, method, path, **options):
        status, _, body = await self.send(method, path, **options)
        assert status == 200, body
        return json.loads(body)


@pytest.fixture
async def session():
    async with aiohttp.ClientSession() as session:
        yield session


@pytest.fixture
async def client(start_gateway, session):
    return Client(session, (await start_gateway(small_app())).server.url)


async def test_the_event_is_api_gateways(client):
    headers = {"X-Two": "2", "User-Agent": "test", "X-Forwarded-For": "203.0.113.9", "Content-Type": "application/json"}
    raw = await client.event("POST", "/v1/things?a=1&a=2&b=%C3%A9+x&c", data=b'{"x":1}', headers=headers)
    event = APIGatewayProxyEvent(raw)
    assert (event.resource, event.path, event.http_method) == ("/v1/things", "/v1/things", "POST")
    assert raw["queryStringParameters"] == {"a": "2", "b": "é x", "c": ""}
    assert raw["multiValueQueryStringParameters"] == {"a": ["1", "2"], "b": ["é x"], "c": [""]}
    assert event.headers["x-two"] == "2"
    assert raw["multiValueHeaders"]["X-Two"] == ["2"]
    assert (raw["body"], raw["isBase64Encoded"], raw["pathParameters"]) == ('{"x":1}', False, None)
    assert raw["stageVariables"] is None
    context = event.request_context
    assert (context.http_method, context.resource_path, context.stage) == ("POST", "/v1/things", "live")
    assert context.identity.source_ip == "127.0.0.1"
    assert raw["multiValueHeaders"]["X-Forwarded-For"] == ["127.0.0.1"]
    assert context.identity.user_agent == "test"
    assert context.request_time == "01/Mar/2026:12:00:00 +0000"
    assert context.request_time_epoch == 1772366400000
    assert len(context.request_id) == 36


async def test_absent_things_are_null(client):
    event = await client.event("GET", "/v1/things")
    for name in ("queryStringParameters", "multiValueQueryStringParameters", "pathParameters", "body"):
        assert event[name] is None


async def test_repeated_headers_keep_every_value(client):
    event = await client.event("GET", "/v1/things", headers=[("X-Two", "1"), ("X-Two", "2")])
    assert event["multiValueHeaders"]["X-Two"] == ["1", "2"]
    assert event["headers"]["X-Two"] == "2"


@pytest.mark.parametrize(
    ("path", "thing_id"),
    [("CP%201", "CP 1"), ("a%2Fb", "a/b"), ("%C3%A9", "é"), ("a+b", "a+b"), ("100%25", "100%"), ("x/", "x")],
)
async def test_path_parameters_are_decoded_once(client, path, thing_id):
    assert (await client.event("GET", f"/v1/things/{path}"))["id"] == thing_id


async def test_only_the_matched_routes_parameters_are_captured(client):
    event = await client.event("GET", "/v1/things/7/parts/8")
    assert event["pathParameters"] == {"thing_id": "7", "part_id": "8"}
    assert event["resource"] == "/v1/things/{thing_id}/parts/{part_id}"


async def test_a_literal_wins_over_a_parameter(client):
    assert await client.event("GET", "/v1/things/new") == {"literal": True}


@pytest.mark.parametrize(
    "path", ["/v1/nothing", "/", "/v1/things//parts/8", "/v1/things/7/parts", "/V1/things", "//v1/things"]
)
async def test_an_unknown_path_is_a_404_problem(client, path):
    status, headers, body = await client.send("GET", path)
    problem = json.loads(body)
    assert (status, headers["Content-Type"]) == (404, "application/problem+json")
    assert (problem["status"], problem["code"]) == (404, "route.unknown")
    assert problem["request_id"] == headers["x-request-id"]


async def test_a_known_path_with_another_method_is_a_405_with_allow(client):
    status, headers, body = await client.send("PUT", "/v1/things/7")
    assert (status, headers["Allow"], headers["Content-Type"]) == (405, "DELETE, GET", "application/problem+json")
    assert json.loads(body)["request_id"] == headers["x-request-id"]


@pytest.mark.parametrize("path", ["/v1/things/%FF", "/v1/things?a=%FF"])
async def test_a_request_line_that_is_no_utf8_is_a_400(client, path):
    status, headers, _ = await client.send("GET", path)
    assert (status, headers["Content-Type"]) == (400, "application/problem+json")


async def test_a_text_body_that_is_no_utf8_is_a_400(client):
    status, _, body = await client.send("POST", "/v1/things", data=b"\xff", headers={"Content-Type": "text/plain"})
    assert (status, json.loads(body)["code"]) == (400, "request.encoding")


async def test_a_binary_body_arrives_as_base64(client):
    event = await client.event(
        "POST", "/v1/files", data=b"\xff\x00", headers={"Content-Type": "application/octet-stream; x=y"}
    )
    assert (event["body"], event["isBase64Encoded"]) == ("/wA=", True)


async def test_status_headers_and_body_come_back(client):
    status, headers, body = await client.send("GET", "/v1/answers")
    assert (status, body) == (201, b"a,b")
    assert headers.getall("Content-Type") == ["text/csv"]
    assert headers.getall("Set-Cookie") == ["a=1", "b=2"]
    assert headers["X-One"] == "1"
    assert len(headers["x-request-id"]) == 36
    assert headers["Content-Length"] == "3"


async def test_a_binary_answer_comes_back_as_bytes(client):
    status, headers, body = await client.send("GET", "/v1/image", headers={"Accept": "image/png"})
    assert (status, headers["Content-Type"], body) == (200, "image/png", b"\x89PNG\x00")


async def test_an_exception_is_a_500_without_its_text(client):
    status, headers, body = await client.send("GET", "/v1/broken")
    assert status == 500
    assert b"secret" not in body
    assert "x-request-id" in headers


@pytest.mark.parametrize("chunked", [True, False])
async def test_ten_megabytes_pass_one_more_byte_is_a_413(start_gateway, session, chunked):
    gateway = await start_gateway(small_app(), rest={"body_limit_bytes": 1000})
    client = Client(session, gateway.server.url)

    async def parts(size):
        for _ in range(size // 100):
            yield b"x" * 100
        yield b"x" * (size % 100)

    headers = {"Content-Type": "text/plain"}
    for size, expected in ((1000, 200), (1001, 413)):
        status, _, body = await client.send(
            "POST", "/v1/things", data=parts(size) if chunked else b"x" * size, headers=headers
        )
        assert status == expected, body
    assert json.loads(body)["code"] == "body.too_large"


async def test_concurrent_requests_each_see_their_own_request(start_gateway, session):
    gate = Gate()
    client = Client(session, (await start_gateway(small_app(gate))).server.url)
    requests = [asyncio.create_task(client.event("GET", f"/v1/slow/{number}?q={number}")) for number in range(4)]
    for _ in requests:
        await gate.somebody_waits()
    gate.opened.set()
    answers = await asyncio.gather(*requests)
    assert answers == [{"number": str(number), "query": str(number)} for number in range(4)]


async def test_a_function_that_takes_too_long_is_a_504(start_gateway, session):
    gate = Gate()
    gateway = await start_gateway(small_app(gate), rest={"integration_limit_s": 0.05})
    status, headers, body = await Client(session, gateway.server.url).send("GET", "/v1/slow/1?q=1")
    gate.opened.set()
    assert (status, headers["Content-Type"]) == (504, "application/problem+json")
    assert json.loads(body)["code"] == "gateway.timeout"


async def test_health_answers_and_the_rest_is_turned_away_when_the_pool_is_full(start_gateway, session):
    gate = Gate()
    gateway = await start_gateway(small_app(gate), rest={"pool_size": 1, "queue_limit": 0})
    client = Client(session, gateway.server.url)
    running = asyncio.create_task(client.send("GET", "/v1/slow/1?q=1"))
    await gate.somebody_waits()
    assert (await client.send("GET", "/health"))[0] == 200
    status, headers, body = await client.send("GET", "/v1/things/1")
    assert (status, headers["Retry-After"], json.loads(body)["code"]) == (503, "1", "gateway.busy")
    gate.opened.set()
    assert (await running)[0] == 200
    assert (await client.send("GET", "/v1/things/1"))[0] == 200


async def test_as_many_as_the_queue_holds_wait_for_a_thread(start_gateway, session):
    gate = Gate()
    gateway = await start_gateway(small_app(gate), rest={"pool_size": 1, "queue_limit": 1})
    client = Client(session, gateway.server.url)
    running = asyncio.create_task(client.send("GET", "/v1/slow/0?q=0"))
    await gate.somebody_waits()
    more = [asyncio.create_task(client.send("GET", f"/v1/slow/{number}?q={number}")) for number in (1, 2)]
    done, waiting = await asyncio.wait(more, return_when=asyncio.FIRST_COMPLETED)
    assert [task.result()[0] for task in done] == [503]
    gate.opened.set()
    assert [(await task)[0] for task in (running, *waiting)] == [200, 200]


def refused(*paths, **options):
    app = chalice.Chalice("refused")
    for path in paths:
        app.route(path, name=path, **options)(lambda **parameters: {})
    return app


@pytest.mark.parametrize(
    ("app", "complaint"),
    [
        (refused("/v1/a/{id}/foo", "/v1/a/{name}/bar"), "called {id}"),
        (refused("/v1/a/x{id}"), "can not be routed"),
        (refused("/v1/a", cors=True), "CORS"),
        (refused("/v1/a", api_key_required=True), "API keys"),
        (refused("/v1/a", authorizer=chalice.IAMAuthorizer()), "authorizers"),
    ],
)
async def test_an_app_that_can_not_be_served_rightly_is_refused_at_start_up(start_gateway, app, complaint):
    with pytest.raises(ValueError, match=complaint):
        await start_gateway(app)


def guarded_app():
    app = chalice.Chalice("guarded")
    app.log.propagate = False

    @app.authorizer()
    def guard(request):
        if request.token == "raise":
            raise RuntimeError("secret")
        if request.token == "unauthorized":
            raise Exception("Unauthorized")
        routes = {"all": ["*"], "one": ["/v1/a/1"], "get": [chalice.AuthRoute("/v1/a/*", ["GET"])]}
        return chalice.AuthResponse(routes.get(request.token, []), "usr_1", {"role": request.token})

    @app.route("/v1/a/{a_id}", methods=["GET", "POST"], authorizer=guard)
    def view(a_id):
        return app.current_request.context["authorizer"]

    return app


@pytest.mark.parametrize(
    ("method", "path", "credentials", "status"),
    [
        ("GET", "/v1/a/1", None, 401),
        ("GET", "/v1/a/1", "unauthorized", 401),
        ("GET", "/v1/a/1", "none", 403),
        ("GET", "/v1/a/1", "raise", 500),
        ("GET", "/v1/a/1", "all", 200),
        ("GET", "/v1/a/1", "one", 200),
        ("GET", "/v1/a/2", "one", 403),
        ("GET", "/v1/a/2", "get", 200),
        ("POST", "/v1/a/2", "get", 403),
    ],
)
async def test_an_authorizer_decides_before_the_function_runs(
    start_gateway, session, method, path, credentials, status
):
    gateway = await start_gateway(guarded_app())
    headers = {"Content-Type": "application/json"} | ({"Authorization": credentials} if credentials else {})
    answer, head, body = await Client(session, gateway.server.url).send(method, path, headers=headers)
    assert answer == status
    if status == 200:
        assert json.loads(body) == {"role": credentials, "principalId": "usr_1"}
    else:
        assert head["Content-Type"] == "application/problem+json"
        assert ("WWW-Authenticate" in head) == (status == 401)
        assert b"secret" not in body
