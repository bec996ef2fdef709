"""As much of Kubernetes' API as a pod needs: it is a process of this machine, its log is served.

What a cluster does beyond that (images, volumes, GPUs, scheduling) is only recorded.
"""

import json
import os
import subprocess
import sys
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any


class Cluster:
    """Pods by name: what was asked for, and the process."""

    def __init__(self) -> None:
        self.asked: list[dict[str, Any]] = []
        self.deleted: list[str] = []
        self.processes: dict[str, subprocess.Popen[str]] = {}
        self.address = ""

    def start(self, pod: dict[str, Any]) -> None:
        container = pod["spec"]["containers"][0]
        command = [sys.executable if part == "python" else part for part in container["command"]]
        env = {entry["name"]: entry["value"] for entry in container["env"]}
        self.asked.append(pod)
        self.processes[pod["metadata"]["name"]] = subprocess.Popen(
            command, env={**os.environ, **env}, stderr=subprocess.STDOUT,
            stdout=subprocess.PIPE, text=True, start_new_session=True,
        )  # fmt: skip

    def pod(self, name: str) -> dict[str, Any]:
        status = self.processes[name].poll()
        state: dict[str, Any] = {"running": {"startedAt": "2026-01-01T00:00:00Z"}}
        if status is not None:
            reason = "Error" if status else "Completed"
            state = {"terminated": {"exitCode": abs(status), "reason": reason}}
        container = {"name": "training", "image": "i", "imageID": "i", "ready": status is None,
                     "restartCount": 0, "state": state}  # fmt: skip
        return {"metadata": {"name": name}, "spec": {"containers": []},
                "status": {"containerStatuses": [container]}}  # fmt: skip

    def delete(self, name: str) -> None:
        self.deleted.append(name)
        self.processes[name].terminate()


@contextmanager
def cluster(kubeconfig: Path) -> Iterator[Cluster]:
    """A cluster that answers, and a kubeconfig that names it."""
    there = Cluster()

    class Api(BaseHTTPRequestHandler):
        def log_message(self, *_: Any) -> None:
            pass

        def answer(self, body: dict[str, Any]) -> None:
            content = json.dumps(body).encode()
            self.send_response(200)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(content)))
            self.end_headers()
            self.wfile.write(content)

        def do_POST(self) -> None:
            pod = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
            there.start(pod)
            self.answer(pod)

        def do_DELETE(self) -> None:
            name = self.path.split("?")[0].rsplit("/", 1)[1]
            there.delete(name)
            self.answer(there.pod(name))

        def do_GET(self) -> None:
            path = self.path.split("?")[0]
            if not path.endswith("/log"):
                self.answer({"items": [there.pod(name) for name in there.processes]})
                return
            self.send_response(200)
            self.end_headers()
            output = there.processes[path.split("/")[-2]].stdout
            assert output is not None
            for line in output:
                now = datetime.now(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")
                self.wfile.write(f"{now} {line}".encode())

    server = ThreadingHTTPServer(("127.0.0.1", 0), Api)
    threading.Thread(target=server.serve_forever, daemon=True).start()
    there.address = f"http://127.0.0.1:{server.server_port}"
    kubeconfig.write_text(
        "apiVersion: v1\nkind: Config\ncurrent-context: here\n"
        f"clusters: [{{name: here, cluster: {{server: '{there.address}'}}}}]\n"
        "users: [{name: me, user: {}}]\n"
        "contexts: [{name: here, context: {cluster: here, user: me, namespace: mill}}]\n"
    )
    try:
        yield there
    finally:
        server.shutdown()
        for process in there.processes.values():
            process.kill()
            process.wait()


def ended(process: subprocess.Popen[str], seconds: float = 30) -> bool:
    """Whether it ends in time."""
    deadline = time.monotonic() + seconds
    while process.poll() is None and time.monotonic() < deadline:
        time.sleep(0.1)
    return process.poll() is not None
