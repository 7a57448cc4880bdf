"""A fake of Google Cloud Storage and Dataflow on loopback, with what a submitted job needs.

Objects are kept in memory. A submitted job is really executed, by a function that the test
passes in, and the job's state says how it ended.
"""

import base64
import contextlib
import dataclasses
import email
import json
import re
import threading
import urllib.parse
from collections.abc import Callable, Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import google_crc32c
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import rsa

PROJECT, REGION = "my-project", "us-central1"
JSON = {"Content-Type": "application/json"}
Answer = tuple[int, dict[str, str], bytes]


@dataclasses.dataclass
class Google:
    """The state of the fake.

    Attributes:
        url: where it listens.
        objects: `bucket/name` -> content.
        jobs: what was submitted, as JSON, in order.
        requests: `METHOD path` of every request.
        execute: runs a submitted job; raises if it fails.
    """

    url: str = ""
    objects: dict[str, bytes] = dataclasses.field(default_factory=dict)
    jobs: list[dict[str, Any]] = dataclasses.field(default_factory=list)
    requests: list[str] = dataclasses.field(default_factory=list)
    execute: Callable[[dict[str, Any]], None] = lambda job: None
    states: dict[str, str] = dataclasses.field(default_factory=dict)
    uploads: dict[str, tuple[str, bytes]] = dataclasses.field(default_factory=dict)
    generation: int = 0

    def put_folder(self, local: Path, *, to: str) -> None:
        """Uploads a folder to `gs://...`."""
        for path in sorted(local.rglob("*")):
            if path.is_file():
                name = f"{to.removeprefix('gs://')}/{path.relative_to(local)}"
                self.objects[name] = path.read_bytes()

    def get_folder(self, name: str, *, to: Path) -> None:
        """Downloads everything below `gs://...`."""
        start = name.removeprefix("gs://").rstrip("/") + "/"
        for each, content in self.objects.items():
            if each.startswith(start):
                target = to / each[len(start) :]
                target.parent.mkdir(parents=True, exist_ok=True)
                target.write_bytes(content)

    def submit(self, job: dict[str, Any]) -> dict[str, Any]:
        """Accepts a job and executes it in a thread of its own."""
        job = {**job, "id": f"job-{len(self.jobs)}", "currentState": "JOB_STATE_RUNNING"}
        self.jobs.append(job)
        self.states[job["id"]] = "JOB_STATE_RUNNING"

        def work() -> None:
            state = "JOB_STATE_FAILED"
            with contextlib.suppress(Exception):
                self.execute(job)
                state = "JOB_STATE_DONE"
            self.states[job["id"]] = state

        threading.Thread(target=work, daemon=True).start()
        return job

    def describe(self, name: str) -> dict[str, Any]:
        """The metadata of an object."""
        bucket, _, path = name.partition("/")
        content = self.objects[name]
        checksum = google_crc32c.value(content).to_bytes(4, "big")
        return {
            "kind": "storage#object",
            "bucket": bucket,
            "name": path,
            "size": str(len(content)),
            "generation": "1",
            "metageneration": "1",
            "etag": "1",
            "crc32c": base64.b64encode(checksum).decode(),
            "updated": "2026-11-20T00:00:00.000Z",
            "timeCreated": "2026-11-20T00:00:00.000Z",
        }

    def answer(self, method: str, target: str, headers: Any, body: bytes) -> Answer:
        """The answer to a request."""
        self.requests.append(f"{method} {target}")
        parsed = urllib.parse.urlsplit(target)
        query = dict(urllib.parse.parse_qsl(parsed.query))
        path = parsed.path
        if path == "/token":
            return _json({"access_token": "t", "token_type": "Bearer", "expires_in": 3600})
        if path == "/batch/storage/v1":
            return self._batch(headers, body)
        if path.startswith("/v1b3/"):
            return self._dataflow(method, path, body)
        path = path.removeprefix("/resumable").removeprefix("/download").removeprefix("/upload")
        found = re.fullmatch(r"/storage/v1/b/([^/]+)(?:/o(?:/(.+))?)?", path)
        if not found:
            return _json({"error": {"code": 404, "message": path}}, 404)
        bucket, name = found[1], found[2]
        if parsed.path.startswith("/upload/"):
            return self._upload(method, bucket, query, headers, body)
        if name is None:
            return self._list(bucket, query) if path.endswith("/o") else _json({"name": bucket})
        copied = re.fullmatch(r"(.+)/(?:copyTo|rewriteTo)/b/([^/]+)/o/(.+)", name)
        if copied:
            return self._copy(bucket, *(urllib.parse.unquote(part) for part in copied.groups()))
        return self._object(method, f"{bucket}/{urllib.parse.unquote(name)}", query, headers)

    def _object(self, method: str, name: str, query: dict[str, str], headers: Any) -> Answer:
        if name not in self.objects:
            return _json({"error": {"code": 404, "message": f"No such object: {name}"}}, 404)
        if method == "DELETE":
            del self.objects[name]
            return 204, {}, b""
        if query.get("alt") != "media":
            return _json(self.describe(name))
        content = self.objects[name]
        wanted = re.match(r"bytes=(\d+)-(\d*)", headers.get("Range") or "")
        if not wanted:
            return 200, {"Content-Type": "application/octet-stream"}, content
        first, last = int(wanted[1]), int(wanted[2] or len(content) - 1)
        if first >= len(content):
            return 416, {"Content-Range": f"bytes */{len(content)}"}, b""
        part = content[first : last + 1]
        span = f"bytes {first}-{first + len(part) - 1}/{len(content)}"
        return 206, {"Content-Type": "application/octet-stream", "Content-Range": span}, part

    def _list(self, bucket: str, query: dict[str, str]) -> Answer:
        start = f"{bucket}/{query.get('prefix', '')}"
        names = sorted(name for name in self.objects if name.startswith(start))
        return _json({"kind": "storage#objects", "items": [self.describe(n) for n in names]})

    def _copy(self, bucket: str, source: str, to_bucket: str, to: str) -> Answer:
        name = f"{bucket}/{source}"
        if name not in self.objects:
            return _json({"error": {"code": 404, "message": f"No such object: {name}"}}, 404)
        self.objects[f"{to_bucket}/{to}"] = self.objects[name]
        described = self.describe(f"{to_bucket}/{to}")
        return _json({**described, "done": True, "resource": described})

    def _upload(
        self, method: str, bucket: str, query: dict[str, str], headers: Any, body: bytes
    ) -> Answer:
        if query.get("uploadType") == "multipart":
            head = f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode()
            described, content = email.message_from_bytes(head + body).get_payload()  # type: ignore[misc]
            name = json.loads(described.get_payload(decode=True))["name"]  # type: ignore[union-attr]
            self.objects[f"{bucket}/{name}"] = content.get_payload(decode=True)  # type: ignore[union-attr,assignment]
            return _json(self.describe(f"{bucket}/{name}"))
        if method == "POST":
            name = query.get("name") or json.loads(body)["name"]
            session = str(len(self.uploads))
            self.uploads[session] = (f"{bucket}/{name}", b"")
            place = f"{self.url}/upload/storage/v1/b/{bucket}/o?session={session}"
            return 200, {"Location": place}, b""
        name, before = self.uploads[query["session"]]
        content = before + body
        total = (headers.get("Content-Range") or "").rsplit("/", 1)[-1]
        if total == "*":  # more parts follow
            self.uploads[query["session"]] = (name, content)
            return 308, {"Range": f"bytes=0-{len(content) - 1}"}, b""
        self.objects[name] = content
        return _json(self.describe(name))

    def _batch(self, headers: Any, body: bytes) -> Answer:
        head = f"Content-Type: {headers['Content-Type']}\r\n\r\n".encode()
        answers = []
        for part in email.message_from_bytes(head + body).get_payload():
            payload = part.get_payload(decode=True)  # type: ignore[union-attr]
            method, target = payload.split(b"\r\n")[0].split(b"\n")[0].decode().split()[:2]  # type: ignore[union-attr]
            code, of_part, content = self.answer(method, target.removeprefix(self.url), {}, b"{}")
            lines = "".join(f"{key}: {value}\r\n" for key, value in of_part.items())
            answers.append(
                b"--answer\r\nContent-Type: application/http\r\n\r\n"
                + f"HTTP/1.1 {code} OK\r\n{lines}\r\n".encode()
                + content
                + b"\r\n"
            )
        kind = {"Content-Type": 'multipart/mixed; boundary="answer"'}
        return 200, kind, b"".join(answers) + b"--answer--"

    def _dataflow(self, method: str, path: str, body: bytes) -> Answer:
        if method == "POST":
            return _json(self.submit(json.loads(body)))
        found = re.search(r"/jobs/([^/]+)(/\w+)?$", path)
        if not found or found[1] not in self.states:
            return _json({"error": {"code": 404, "message": path}}, 404)
        if found[2]:
            return _json({})
        [job] = [job for job in self.jobs if job["id"] == found[1]]
        return _json({**job, "currentState": self.states[found[1]]})


def _json(value: Any, code: int = 200) -> Answer:
    return code, JSON, json.dumps(value).encode()


@contextlib.contextmanager
def serving() -> Iterator[Google]:
    """Starts the fake on a free port of loopback."""
    google = Google()

    class Handler(BaseHTTPRequestHandler):
        protocol_version = "HTTP/1.1"

        def respond(self) -> None:
            body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
            try:
                code, headers, content = google.answer(self.command, self.path, self.headers, body)
            except Exception as error:  # an error in the fake fails the test and is named
                code, headers, content = _json({"error": {"message": repr(error)}}, 400)
            self.send_response(code)
            for key, value in headers.items():
                self.send_header(key, value)
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        do_GET = do_POST = do_PUT = do_DELETE = respond  # noqa: N815  # names of the library

        def log_message(self, *_: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    google.url = f"http://localhost:{server.server_port}"
    threading.Thread(target=server.serve_forever, daemon=True).start()
    try:
        yield google
    finally:
        server.shutdown()
        server.server_close()


def environment(google: Google, folder: Path) -> dict[str, str]:
    """The environment that points Google's clients at the fake, with credentials for it alone."""
    key = rsa.generate_private_key(public_exponent=65537, key_size=2048)
    pem = key.private_bytes(
        serialization.Encoding.PEM,
        serialization.PrivateFormat.PKCS8,
        serialization.NoEncryption(),
    )
    account = {
        "type": "service_account",
        "project_id": PROJECT,
        "private_key_id": "none",
        "private_key": pem.decode(),
        "client_email": "limelight@my-project.iam.gserviceaccount.com",
        "client_id": "0",
        "token_uri": f"{google.url}/token",
    }
    path = folder / "account.json"
    path.write_text(json.dumps(account), encoding="utf-8")
    return {
        "STORAGE_EMULATOR_HOST": google.url,
        "GOOGLE_APPLICATION_CREDENTIALS": str(path),
        "NO_GCE_CHECK": "true",
    }
