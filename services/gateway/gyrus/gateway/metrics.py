"""The metrics of several services in one answer, for a machine where they all run behind one address."""

import asyncio
import io
from collections.abc import Iterable

import httpx
from prometheus_client import REGISTRY, generate_latest
from prometheus_client.parser import text_string_to_metric_families

Families = dict[str, tuple[str, str, list[str]]]


async def all_metrics(services: dict[str, str]) -> bytes:
    """This process' metrics; with other services, theirs too, each sample labelled with its service. One that is away is left out."""
    mine = generate_latest(REGISTRY).decode()
    if not services:
        return mine.encode()
    async with httpx.AsyncClient(timeout=2, trust_env=False) as client:
        answers = await asyncio.gather(*(client.get(url) for url in services.values()), return_exceptions=True)
    theirs = {n: a.text for n, a in zip(services, answers, strict=True) if isinstance(a, httpx.Response) and a.is_success}
    return merge({"gateway": mine, **theirs}.items())


def merge(texts: Iterable[tuple[str, str]]) -> bytes:
    """Texts of (service, exposition) as one: each family once, each sample with a `service` label."""
    families: Families = {}
    for service, text in texts:
        for family in text_string_to_metric_families(text):
            _, _, lines = families.setdefault(family.name, (family.documentation, family.type, []))
            for sample in family.samples:
                labels = ",".join(f'{name}="{_escaped(value)}"' for name, value in {"service": service, **sample.labels}.items())
                lines.append(f"{sample.name}{{{labels}}} {sample.value}")
    out = io.StringIO()
    for name, (documentation, kind, lines) in sorted(families.items()):
        full = name + "_total" if kind == "counter" else name
        out.write(f"# HELP {full} {documentation}\n# TYPE {full} {kind}\n" + "".join(line + "\n" for line in lines))
    return out.getvalue().encode()


def _escaped(value: str) -> str:
    return value.replace("\\", r"\\").replace('"', r"\"").replace("\n", r"\n")
