"""A failing server: temporary faults are retried, others are errors, and the key is never shown."""

from __future__ import annotations

import logging
import signal
import socket
import threading
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import anyio
import pytest

from maieutic.errors import InputError, ModelError, ServerError
from maieutic.lm.base import Prompt
from maieutic.lm.server.address import Host
from maieutic.lm.server.exchange import Connection
from maieutic.lm.server.model import ServerLM
from maieutic.lm.server.probe import tokenize_request
from maieutic.lm.server.request import Request
from maieutic.lm.server.retries import RetryPolicy, retry_after

Serve = Callable[..., Any]
Fault = Callable[[Any, dict[str, Any]], None]

QUICK = RetryPolicy(
    connect_timeout=5.0, request_timeout=30.0, total_timeout=60.0, attempts=3, pause=0.0, max_pause=0.0
)
IMPATIENT = replace(QUICK, request_timeout=0.15)
PROMPTS = [Prompt("text", "", (), query, "A:") for query in ("Ice?", "Snow?", "Fire?")]
KEY = "sk-a-most-secret-key"


def stalls(handler: Any, _: Any) -> None:
    """No answer until the test is over."""
    handler.fake.released.wait(60)


def stalls_halfway(handler: Any, _: Any) -> None:
    handler.send(200, b'{"choices": [', Content_Length="1000")
    handler.wfile.flush()
    handler.fake.released.wait(60)


def resets(handler: Any, _: Any) -> None:
    handler.drop()


def resets_halfway(handler: Any, _: Any) -> None:
    handler.send(200, b'{"choices": [', Content_Length="1000")
    handler.wfile.flush()
    handler.drop()


def ends_early(handler: Any, _: Any) -> None:
    handler.send(200, b'{"choices": [', Content_Length="1000")
    handler.close_connection = True


def truncates(handler: Any, _: Any) -> None:
    """Half of the JSON, with its length as if it were all."""
    handler.send(200, b'{"choices": [{"text": "so')


def fails_as_success(handler: Any, _: Any) -> None:
    handler.reply(200, {"error": {"message": "upstream is down"}})


def answers(status: int, **headers: str) -> Fault:
    def fault(handler: Any, _: Any) -> None:
        handler.send(status, b'{"error": {"message": "not now"}}', **headers)

    return fault


def page(status: int) -> Fault:
    def fault(handler: Any, _: Any) -> None:
        handler.send(status, b"\n<!DOCTYPE html><title>Welcome</title>", "text/html")

    return fault


TEMPORARY: dict[str, Fault] = {
    "a stall": stalls,
    "a stall halfway": stalls_halfway,
    "a reset": resets,
    "a reset halfway": resets_halfway,
    "an early end": ends_early,
    "truncated JSON": truncates,
    "an error as a success": fails_as_success,
    "408": answers(408),
    "425": answers(425),
    "429": answers(429),
    "429 with a pause": answers(429, Retry_After="5"),
    "500": answers(500),
    "502 as a page": page(502),
    "503": answers(503),
    "504": answers(504),
}
STALLS = {"a stall", "a stall halfway"}


def load(fake: Any, retries: RetryPolicy = QUICK, **options: Any) -> ServerLM:
    lm = ServerLM.load(f"{fake.url}#m", retries=retries, **options)
    fake.requests.clear()
    return lm


def impatient(lm: ServerLM, attempts: int) -> ServerLM:
    """The same model with a short time limit, which a slow machine may exceed at first."""
    connection = lm._connection
    assert isinstance(connection, Connection)
    return ServerLM(
        Connection(connection.host, replace(IMPATIENT, attempts=attempts), connection.limit), lm._served
    )


@pytest.mark.parametrize("fault", TEMPORARY)
def test_a_temporary_fault_is_retried(serve: Serve, fault: str) -> None:
    fake = serve()
    lm = load(fake)
    expected = lm.choose(PROMPTS, [" true"]).probabilities.tolist()
    fake.requests.clear()
    fake.faults += [TEMPORARY[fault]] * (1 if fault in STALLS else 2)
    lm = impatient(lm, attempts=100) if fault in STALLS else lm
    assert lm.choose(PROMPTS, [" true"]).probabilities.tolist() == expected
    assert len(fake.requests) >= len(PROMPTS) + (1 if fault in STALLS else 2)


@pytest.mark.parametrize("fault", TEMPORARY)
def test_a_lasting_fault_is_an_error(serve: Serve, fault: str) -> None:
    fake = serve()
    lm = load(fake, limit=1)
    lm = impatient(lm, attempts=3) if fault in STALLS else lm
    fake.faults += [TEMPORARY[fault]] * 10
    with pytest.raises(ServerError) as error:
        lm.choose(PROMPTS, [" true"])
    assert error.value.subject == f"{fake.url}/completions"
    assert len(fake.requests) <= 3 if fault in STALLS else len(fake.requests) == 3
    assert "\n" not in str(error.value)
    assert error.value.exit_code == 1


def test_a_web_page_is_an_error(serve: Serve) -> None:
    fake = serve()
    lm = load(fake, limit=1)
    fake.faults += [page(200)] * 10
    with pytest.raises(ServerError) as error:
        lm.choose(PROMPTS, [" true"])
    assert error.value.subject == f"{fake.url}/completions"
    assert len(fake.requests) == 1


@pytest.mark.parametrize("has_length", [True, False], ids=["with length", "without length"])
def test_a_body_of_50_megabytes_is_not_read(serve: Serve, has_length: bool) -> None:
    sent = [0]

    def floods(handler: Any, _: Any) -> None:
        handler.send_response(200)
        if has_length:
            handler.send_header("Content-Length", str(50 << 20))
        handler.send_header("Connection", "close")
        handler.end_headers()
        handler.close_connection = True
        try:
            for _ in range(50):
                handler.wfile.write(b" " * (1 << 20))
                sent[0] += 1 << 20
        except OSError:
            pass

    fake = serve()
    lm = load(fake, limit=1)
    fake.faults += [floods] * 10
    with pytest.raises(ServerError):
        lm.choose(PROMPTS, [" true"])
    assert len(fake.requests) == 1
    assert sent[0] < 40 << 20  # what fits in the buffers between the two, and not all


def test_a_compressed_bomb_is_not_unpacked(serve: Serve) -> None:
    import gzip

    def packs(handler: Any, _: Any) -> None:
        handler.send(200, gzip.compress(b" " * (9 << 20)), Content_Encoding="gzip")

    fake = serve()
    lm = load(fake, limit=1)
    assert {headers["Accept-Encoding"] for _, _, headers in fake.requests} <= {"identity"}
    fake.faults += [packs] * 10
    with pytest.raises(ServerError):
        lm.choose(PROMPTS, [" true"])


def test_the_servers_retry_after_is_respected(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    pauses: list[float] = []

    async def sleep(seconds: float) -> None:
        pauses.append(seconds)

    fake = serve()
    lm = load(fake, replace(QUICK, attempts=5, pause=1.0, max_pause=40.0), limit=1)
    monkeypatch.setattr(anyio, "sleep", sleep)
    later = format_datetime(datetime.now(UTC) + timedelta(seconds=3600), usegmt=True)
    fake.faults += [answers(429, Retry_After=value) for value in ("7", later, "nonsense")] + [answers(503)]
    lm.choose(PROMPTS[:1], [" true"])
    assert pauses[:2] == [7.0, 40.0]
    assert 2.0 <= pauses[2] < 4.0
    assert 4.0 <= pauses[3] < 8.0


@pytest.mark.parametrize(
    ("header", "seconds"),
    [("3", 3.0), (" 3 ", 3.0), ("-3", None), ("", None), ("soon", None), ("9" * 400, float("inf"))],
)
def test_retry_after_is_parsed_in_either_form(header: str, seconds: float | None) -> None:
    now = datetime(2025, 1, 1, 12, tzinfo=UTC)
    assert retry_after(header, now) == seconds
    assert retry_after("Wed, 01 Jan 2025 12:00:09 GMT", now) == 9.0
    assert retry_after("Wed, 01 Jan 2025 11:00:00 GMT", now) == 0.0
    assert retry_after("Wed, 01 Jan 2025 12:00:09 -0000", now) == 9.0


def test_all_attempts_together_have_a_time_limit(serve: Serve) -> None:
    fake = serve()
    lm = load(fake, limit=1)
    retries = replace(QUICK, total_timeout=0.3, attempts=1000, pause=0.05, max_pause=0.05)
    assert isinstance(lm._connection, Connection)
    lm = ServerLM(Connection(lm._connection.host, retries, 1), lm._served)
    fake.faults += [answers(503)] * 1000
    with pytest.raises(ServerError):
        lm.choose(PROMPTS, [" true"])
    assert len(fake.requests) < 1000


def test_an_unknown_host_is_reported_at_once(monkeypatch: pytest.MonkeyPatch) -> None:
    lookups: list[Any] = []

    def unknown(host: Any, *_: Any, **__: Any) -> None:
        lookups.append(host)
        raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")

    monkeypatch.setattr(socket, "getaddrinfo", unknown)
    with pytest.raises(ModelError) as error:
        ServerLM.load("http://no-host.invalid/v1#m", retries=QUICK)
    assert len(lookups) == 1
    assert error.value.subject == "http://no-host.invalid/v1/models"
    assert error.value.exit_code == 2


def test_an_unreachable_address_is_reported_at_once() -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))  # and does not listen
        port = taken.getsockname()[1]
        with pytest.raises(ModelError) as error:
            ServerLM.load(f"http://127.0.0.1:{port}/v1#m", retries=QUICK)
        assert error.value.subject == f"http://127.0.0.1:{port}/v1/models"


def test_loading_waits_for_a_starting_server(serve: Serve) -> None:
    fake = serve(faults=[answers(503), answers(503)])
    assert load(fake).prompts == "paper"


def test_json_in_another_format_is_reported(serve: Serve) -> None:
    fake = serve(reshape=lambda *_: 7)
    with pytest.raises(ModelError) as error:
        load(fake)
    assert error.value.subject == f"{fake.url}/completions"


def test_a_server_that_disappears_is_an_error(serve: Serve) -> None:
    """Nothing listens any more where the model was loaded from."""
    fake = serve()
    lm = load(fake)
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        gone = Connection(Host(f"http://127.0.0.1:{taken.getsockname()[1]}/v1"), QUICK, 2)
        with pytest.raises(ServerError) as error:
            ServerLM(gone, lm._served).choose(PROMPTS, [" true"])
        assert error.value.subject == f"{gone.url}/completions"


@pytest.mark.parametrize("status", [402, 404, 410])
def test_a_rejection_of_every_prompt_is_an_error_of_the_server(serve: Serve, status: int) -> None:
    fake = serve()
    lm = load(fake)
    fake.faults += [answers(status)] * 10
    with pytest.raises(ServerError) as error:
        lm.choose(PROMPTS, [" true"])
    assert error.value.subject == lm.name


def test_a_redirect_is_not_followed(serve: Serve) -> None:
    elsewhere = serve()
    fake = serve()
    lm = load(fake, limit=1)
    fake.faults += [answers(307, Location=f"{elsewhere.url}/completions")] * 10
    with pytest.raises(ServerError):
        lm.choose(PROMPTS, [" true"])
    assert elsewhere.requests == []
    assert len(fake.requests) == 1


@pytest.mark.parametrize("name", ["MAIEUTIC_API_KEY", "OPENAI_API_KEY"])
def test_the_key_is_sent_and_never_shown(
    serve: Serve, name: str, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    def repeats_it(status: int) -> Fault:
        return lambda handler, _: handler.refuse(status, f"wrong key {handler.headers['Authorization']}")

    caplog.set_level(logging.DEBUG)
    monkeypatch.setenv(name, KEY)
    fake = serve()
    lm = ServerLM.load(f"{fake.url}#m", retries=QUICK)
    assert {headers["Authorization"] for _, _, headers in fake.requests} == {f"Bearer {KEY}"}
    shown = [repr(lm), lm.name, lm.fingerprint, str(lm.facts), repr(lm._connection), repr(vars(lm))]
    assert isinstance(lm._connection, Connection)
    shown.append(repr(vars(lm._connection.host)))
    for status in (400, 401, 403, 404, 429, 500):
        fake.faults = [repeats_it(status)] * 10
        with pytest.raises((ModelError, ServerError)) as error:
            lm.choose(PROMPTS, [" true"])
        shown += [str(error.value), repr(error.value.__cause__)]
    assert "[key]" in "".join(shown)
    assert "secret" not in "".join(shown) + caplog.text


def test_the_projects_own_key_comes_first(serve: Serve, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("OPENAI_API_KEY", "sk-other")
    monkeypatch.setenv("MAIEUTIC_API_KEY", f" {KEY}\n")
    fake = serve()
    ServerLM.load(f"{fake.url}#m", retries=QUICK)
    assert {headers["Authorization"] for _, _, headers in fake.requests} == {f"Bearer {KEY}"}


def test_without_a_key_none_is_sent(serve: Serve) -> None:
    fake = serve()
    ServerLM.load(f"{fake.url}#m", retries=QUICK)
    assert not any("Authorization" in headers for _, _, headers in fake.requests)


@pytest.mark.parametrize(
    ("url", "sent"),
    [
        ("https://example.org/v1", True),
        ("http://localhost:8000/v1", True),
        ("http://127.0.0.2/v1", True),
        ("http://[::1]:8000/v1", True),
        ("http://example.org/v1", False),
        ("http://192.168.0.7:8000/v1", False),
        ("http://localhost.example.org/v1", False),
        ("http://127.0.0.1.example.org/v1", False),
    ],
)
@pytest.mark.parametrize("name", ["MAIEUTIC_API_KEY", "OPENAI_API_KEY"])
def test_a_key_is_sent_over_https_or_to_this_machine_only(
    name: str, url: str, sent: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("MAIEUTIC_API_KEY", raising=False)
    monkeypatch.setenv(name, KEY)
    monkeypatch.setattr(Host, "_certificates", False)
    host = Host(url)
    assert host.key == (KEY if sent else None)
    assert ("Authorization" in host.client(1.0, 1).headers) == sent


@pytest.mark.parametrize("key", ["sk-…", "sk-a\nb", "sk-\x07"])
def test_a_key_that_no_header_can_hold_is_rejected_without_showing_it(
    key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("MAIEUTIC_API_KEY", key)
    with pytest.raises(InputError) as error:
        Host("http://localhost/v1").client(1.0, 1)
    assert error.value.subject == "MAIEUTIC_API_KEY"
    assert key not in str(error.value)


@pytest.mark.parametrize("key", ["", KEY])
def test_a_missing_or_wrong_key_is_an_error(serve: Serve, key: str, monkeypatch: pytest.MonkeyPatch) -> None:
    fake = serve(faults=[answers(401)] * 10)
    monkeypatch.setenv("MAIEUTIC_API_KEY", key)
    with pytest.raises(ModelError) as error:
        load(fake)
    assert error.value.subject == f"{fake.url}/completions"


def test_an_interrupt_cancels_running_requests(serve: Serve) -> None:
    fake = serve()
    lm = load(fake)
    fake.faults += [stalls] * 10
    fake.reached.clear()

    def interrupt() -> None:
        fake.reached.wait(60)
        signal.pthread_kill(waiting, signal.SIGINT)

    waiting = threading.get_ident()
    before = signal.signal(signal.SIGINT, signal.default_int_handler)
    interrupter = threading.Thread(target=interrupt)
    interrupter.start()
    try:
        with pytest.raises(KeyboardInterrupt):
            lm.choose(PROMPTS, [" true"])
    finally:
        interrupter.join()
        signal.signal(signal.SIGINT, before)
    assert not any("portal" in thread.name for thread in threading.enumerate())


def test_one_failure_cancels_waiting_requests(serve: Serve) -> None:
    fake = serve()
    lm = load(fake, limit=2)
    fake.faults += [page(200)] * 1000
    with pytest.raises(ServerError):
        lm.choose([replace(PROMPTS[0], query=str(number)) for number in range(500)], [" true"])
    assert len(fake.requests) <= 4


def test_requests_are_gets_or_posts(serve: Serve) -> None:
    fake = serve(tokenizer=True)
    connection = Connection(Host(fake.url), QUICK, 1)
    models, tokens = connection.send(
        [Request("/models", schema=object), tokenize_request("//tokenize", "m", "two words")]
    )
    assert (models["data"][0]["id"], tokens.number) == ("m", 2)
    assert fake.requests[0][0] == "/tokenize"
