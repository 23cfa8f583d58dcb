"""A scripted OpenAI-compatible server on the loopback interface, which can fail on request."""

from __future__ import annotations

import json
import math
import re
import socket
import struct
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import suppress
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

KNOWN = {"model", "prompt", "messages", "max_tokens", "temperature", "top_p", "stop", "seed"}
KNOWN |= {"logprobs", "top_logprobs"}
PROBABILITIES = {" true": 0.6, " false": 0.3, " maybe": 0.05, "true": 0.03}


@dataclass
class FakeServer:
    """Configuration of the server, and the requests that it received.

    Attributes:
        models: the entries of /models; None for no list.
        completions, chat: whether the endpoint exists.
        form: of probabilities: "old" (a dict per position), "new" (a list, as in chats) or "" for none.
        fields: accepted fields of a body; None for all.
        max_top: maximum number of tokens with probabilities.
        system: whether chats may have a system message.
        prefill: whether chats continue a last message of the assistant; ``repeats`` adds it to the reply.
        tokenizer: whether there is a tokenizer, which splits texts into words.
        labels: whether it splits lists of texts, and ``/score`` gives probabilities of tokens, as in SGLang.
        counts: whether replies report their token counts.
        first: (prompt as text) → the probabilities of its next token.
        write: (body, prompt as text) → the text that follows.
        stops: whether texts end before a newline if the request asks for it.
        listing: the whole reply of /models; None for ``models`` in the usual format.
        rule: (path, body) → status and message of a refusal, None to answer.
        reshape: (body, reply) → the reply that is sent; bytes are sent as they are.
        faults: handlers of the next POST requests, in turn, in place of the normal reply.
        requests: (path, body, headers) of every POST request.
    """

    models: list[dict[str, Any]] | None = field(default_factory=lambda: [{"id": "m", "owned_by": "vllm"}])
    completions: bool = True
    chat: bool = True
    form: str = "old"
    fields: set[str] | None = None
    max_top: int = 20
    system: bool = True
    prefill: bool = False
    repeats: bool = False
    tokenizer: bool = False
    labels: bool = False
    counts: bool = True
    first: Callable[[str], Mapping[str, float]] = lambda _: PROBABILITIES
    write: Callable[[dict[str, Any], str], str] = lambda body, _: f" text {body.get('seed')}\nmore"
    stops: bool = True
    listing: Any = None
    rule: Callable[[str, dict[str, Any]], tuple[int, str] | None] = lambda *_: None
    reshape: Callable[[dict[str, Any], dict[str, Any]], Any] = lambda _, reply: reply
    faults: list[Callable[[ScriptedHandler, dict[str, Any]], None]] = field(default_factory=list)
    requests: list[tuple[str, dict[str, Any], dict[str, str]]] = field(default_factory=list)
    released: threading.Event = field(default_factory=threading.Event)
    reached: threading.Event = field(default_factory=threading.Event)
    port: int = 0
    running: int = 0
    most_running: int = 0
    lock: threading.Lock = field(default_factory=threading.Lock)
    words: dict[str, int] = field(default_factory=lambda: {"<s>": 0})

    def ids(self, text: str) -> list[int]:
        """The tokens of a text: words with the space before them, and line ends."""
        words = ["<s>", *re.findall(r"\n|\s?[^\s]+", text)]
        return [self.words.setdefault(word, len(self.words)) for word in words]

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}/v1"

    def bodies(self, path: str) -> list[dict[str, Any]]:
        """The bodies that were posted to a path below /v1."""
        return [body for posted, body, _ in self.requests if posted == f"/v1{path}"]


class ScriptedHandler(BaseHTTPRequestHandler):
    fake: FakeServer
    protocol_version = "HTTP/1.1"

    def log_message(self, format: str, *args: Any) -> None:
        """No output."""

    def send(self, status: int, body: bytes, kind: str = "application/json", **headers: str) -> None:
        self.send_response(status)
        self.send_header("Content-Type", kind)
        for name, value in {"Content_Length": str(len(body)), **headers}.items():
            self.send_header(name.replace("_", "-"), value)
        self.end_headers()
        with suppress(OSError):
            self.wfile.write(body)

    def reply(self, status: int, content: Any) -> None:
        self.send(status, json.dumps(content).encode())

    def refuse(self, status: int, message: str) -> None:
        self.reply(status, {"error": {"message": message, "type": "invalid_request_error"}})

    def drop(self) -> None:
        """End the connection with a reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def do_GET(self) -> None:
        if self.path == "/v1/models" and self.fake.listing is not None:
            self.reply(200, self.fake.listing)
        elif self.path == "/v1/models" and self.fake.models is not None:
            self.reply(200, {"object": "list", "data": self.fake.models})
        else:
            self.send(404, b"<html>no such page</html>", "text/html")

    def do_POST(self) -> None:
        body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
        fake = self.fake
        with fake.lock:
            fake.requests.append((self.path, body, dict(self.headers)))
            fault = fake.faults.pop(0) if fake.faults else None
            fake.running += 1
            fake.most_running = max(fake.most_running, fake.running)
        fake.reached.set()
        try:
            (fault or ScriptedHandler.answer)(self, body)
        finally:
            with fake.lock:
                fake.running -= 1

    def answer(self, body: dict[str, Any]) -> None:
        fake = self.fake
        endpoints = {"/tokenize": fake.tokenizer or fake.labels, "/v1/completions": fake.completions}
        endpoints["/v1/score"] = fake.labels
        endpoints["/v1/chat/completions"] = fake.chat
        if not endpoints.get(self.path):
            self.refuse(404, "Not Found")
        elif refusal := fake.rule(self.path, body):
            self.refuse(*refusal)
        elif self.path == "/tokenize":
            self.split(body)
        elif self.path == "/v1/score":
            self.score(body)
        else:
            self.complete(body)

    def split(self, body: dict[str, Any]) -> None:
        if isinstance(body.get("prompt"), list):
            return self.split_list(body)
        words = body["content"].split() + ["<s>"] * body["add_special"]
        self.reply(200, {"tokens": words, "count": len(words)})
        return None

    def split_list(self, body: dict[str, Any]) -> None:
        if not self.fake.labels:
            return self.refuse(400, "Input should be a valid string")
        rows = [self.fake.ids(text) for text in body["prompt"]]
        reply = {"tokens": rows, "count": list(map(len, rows)), "max_model_len": 4096}
        return self.reply(200, self.fake.reshape(body, reply))

    def score(self, body: dict[str, Any]) -> None:
        """The probabilities of tokens after a prompt."""
        fake = self.fake
        words = {number: word for word, number in fake.words.items()}
        prompt = "".join(words[number] for item in body["items"] for number in body["query"] + item)
        table = fake.first(prompt.removeprefix("<s>"))
        scores = [table.get(words[number], 0.0) for number in body["label_token_ids"]]
        reshaped = fake.reshape(body, {"scores": [scores], "model": body["model"], "object": "scoring"})
        self.send(200, reshaped if isinstance(reshaped, bytes) else json.dumps(reshaped).encode())

    def complete(self, body: dict[str, Any]) -> None:
        fake = self.fake
        top = body.get("top_logprobs") if "messages" in body else body.get("logprobs")
        if fake.fields is not None and (stray := sorted(body.keys() - fake.fields)):
            return self.refuse(400, f"unrecognized request argument: {stray[0]}")
        if (
            fake.models is not None
            and fake.listing is None
            and body["model"] not in [entry["id"] for entry in fake.models]
        ):
            return self.refuse(404, "no such model")
        if top and top > fake.max_top:
            return self.refuse(400, f"logprobs must be at most {fake.max_top}")
        messages = body.get("messages")
        if messages and messages[0]["role"] == "system" and not fake.system:
            return self.refuse(400, "System role not supported")
        prompt, tokens, opening = self.rendered(body)
        text = opening * fake.repeats + fake.write(body, prompt)
        text = text.partition("\n")[0] if fake.stops and "stop" in body else text
        answer: dict[str, Any] = {"index": 0, "finish_reason": "stop"}
        answer |= {"message": {"role": "assistant", "content": text}} if messages else {"text": text}
        if top and fake.form:
            answer["logprobs"] = self.probabilities(prompt, top, chat=bool(messages))
        usage = {"prompt_tokens": tokens, "completion_tokens": len(text.split()) + 1}
        reply = {"choices": [answer]} | ({"usage": usage} if fake.counts else {})
        reshaped = fake.reshape(body, reply)
        self.send(200, reshaped if isinstance(reshaped, bytes) else json.dumps(reshaped).encode())
        return None

    def rendered(self, body: dict[str, Any]) -> tuple[str, int, str]:
        """The prompt as text, its number of tokens, and the beginning of the reply."""
        if "prompt" in body:
            return body["prompt"], len(body["prompt"].split()) + 1, ""
        messages = body["messages"]
        texts = [
            content if isinstance(content := message["content"], str) else content[0]["text"]
            for message in messages
        ]
        words = sum(len(text.split()) for text in texts) + 3 * len(texts)
        prefilled = messages[-1]["role"] == "assistant"
        if prefilled and self.fake.prefill:
            return "\n".join(texts), words, texts[-1]  # with the header of a reply, without its end
        return "\n".join(texts), words + 3, ""

    def probabilities(self, prompt: str, top: int, *, chat: bool) -> dict[str, Any]:
        likeliest = sorted(self.fake.first(prompt).items(), key=lambda pair: -pair[1])[:top]
        logs = {token: math.log(p) for token, p in likeliest}
        if self.fake.form == "old" and not chat:
            return {"tokens": list(logs)[:1], "token_logprobs": [0.0], "top_logprobs": [logs]}
        listed = [{"token": token, "logprob": log, "bytes": None} for token, log in logs.items()]
        return {"content": [{**listed[0], "top_logprobs": listed}]}


@pytest.fixture
def serve(monkeypatch: pytest.MonkeyPatch) -> Iterator[Callable[..., FakeServer]]:
    """Start a server: ``serve(**fields of FakeServer)``."""
    for name in ("MAIEUTIC_API_KEY", "OPENAI_API_KEY"):
        monkeypatch.delenv(name, raising=False)
    servers: list[tuple[ThreadingHTTPServer, threading.Thread, FakeServer]] = []

    def serve(**fields: Any) -> FakeServer:
        fake = FakeServer(**fields)
        server = ThreadingHTTPServer(
            ("127.0.0.1", 0), type("BoundHandler", (ScriptedHandler,), {"fake": fake})
        )
        server.daemon_threads = True
        fake.port = server.server_address[1]
        thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
        thread.start()
        servers.append((server, thread, fake))
        return fake

    yield serve
    for server, thread, fake in servers:
        fake.released.set()
        server.shutdown()
        thread.join()
        server.server_close()
