"""A local S3 server for tests: moto's, in a thread of this process."""

import secrets
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import pytest


@contextmanager
def s3_server(monkeypatch: pytest.MonkeyPatch) -> Iterator[tuple[str, Any]]:
    """A bucket as `s3://…` and its server. The environment of this process and of those that it starts leads there."""
    pytest.importorskip("s3fs", reason="gyrus[s3] is not installed")
    server = pytest.importorskip("moto.server", reason="moto is not installed").ThreadedMotoServer(
        ip_address="127.0.0.1", port=0, verbose=False
    )
    server.start()
    host, port = server.get_host_and_port()
    environment = {"AWS_ENDPOINT_URL": f"http://{host}:{port}", "AWS_ACCESS_KEY_ID": "tests", "AWS_SECRET_ACCESS_KEY": "only"}
    for name, value in {**environment, "AWS_DEFAULT_REGION": "us-east-1", "NO_PROXY": host, "no_proxy": host}.items():
        monkeypatch.setenv(name, value)
    try:
        import fsspec  # noqa: PLC0415

        bucket = f"b{secrets.token_hex(6)}"  # servers of one process share their buckets
        fsspec.filesystem("s3", skip_instance_cache=True).mkdir(bucket)
        yield f"s3://{bucket}", server
    finally:
        server.stop()
