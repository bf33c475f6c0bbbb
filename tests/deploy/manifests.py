"""The manifests of deploy/k8s/base as plain objects, read as kustomize reads them but without it, and the rooms' settings classes."""

import tomllib
from pathlib import Path
from typing import Any

import yaml

from gyrus.classifier.service import ClassifierSettings
from gyrus.extractor.settings import ExtractorSettings
from gyrus.gateway.settings import GatewaySettings
from gyrus.preprocessor.service import PreprocessorSettings
from gyrus.shared.settings import Settings
from gyrus.watcher.service import WatcherSettings

Object = dict[str, Any]
ROOT = Path(__file__).parents[2]
BASE = ROOT / "deploy/k8s/base"
KUSTOMIZATION: Object = yaml.safe_load((BASE / "kustomization.yaml").read_text())
VERSION = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["version"]
LABEL = "app.kubernetes.io/"
ROOMS: dict[str, type[Settings]] = {
    "watcher": WatcherSettings,
    "extractor": ExtractorSettings,
    "classifier": ClassifierSettings,
    "preprocessor": PreprocessorSettings,
    "gateway": GatewaySettings,
}
SECRETS = {"GYRUS_SUBJECT_KEY", "GYRUS_API_KEY", "GYRUS_MONGO_URL", "GYRUS_NATS_URL"}


def as_kustomize_would(found: Object) -> Object:
    """The namespace, labels and tags of kustomization.yaml put into one object."""
    pairs = KUSTOMIZATION["labels"][0]["pairs"]
    tags = {image["name"]: image["newTag"] for image in KUSTOMIZATION["images"]}
    found["metadata"]["labels"] |= pairs
    if found["kind"] != "Namespace":
        found["metadata"]["namespace"] = KUSTOMIZATION["namespace"]
    if template := found.get("spec", {}).get("template"):
        template["metadata"]["labels"] |= pairs
        for container in template["spec"]["containers"]:
            container["image"] += ":" + tags[container["image"]]
    return found


FILES = {name: as_kustomize_would(yaml.safe_load((BASE / name).read_text())) for name in KUSTOMIZATION["resources"]}
OBJECTS = list(FILES.values())


def of_kind(kind: str) -> list[Object]:
    return [found for found in OBJECTS if found["kind"] == kind]


def name_of(found: Object) -> str:
    return str(found["metadata"]["name"])


DEPLOYMENTS = {name_of(found): found for found in of_kind("Deployment")}
(JOB,) = of_kind("Job")
(SETTINGS,) = of_kind("ConfigMap")
CONFIG: dict[str, str] = SETTINGS["data"]
WORKLOADS = [*DEPLOYMENTS.values(), JOB]


def pod_of(workload: Object) -> Object:
    pod: Object = workload["spec"]["template"]["spec"]
    return pod


def container_of(workload: Object) -> Object:
    (container,) = pod_of(workload)["containers"]
    assert isinstance(container, dict)
    return container


def secrets_of(workload: Object) -> dict[str, Object]:
    return {variable["name"]: variable["valueFrom"]["secretKeyRef"] for variable in container_of(workload)["env"]}


def mounts_of(workload: Object) -> dict[str, tuple[str, bool, bool]]:
    """Claim → path, whether the container's mount is read-only, whether the claim is."""
    claims = {volume["name"]: volume.get("persistentVolumeClaim") for volume in pod_of(workload)["volumes"]}
    mounts = container_of(workload)["volumeMounts"]
    return {
        claim["claimName"]: (mount["mountPath"], mount.get("readOnly", False), claim.get("readOnly", False))
        for mount in mounts
        if (claim := claims[mount["name"]])
    }


def selected(selector: dict[str, str]) -> list[str]:
    """The workloads whose pods bear the labels."""
    return [name_of(found) for found in WORKLOADS if selector.items() <= found["spec"]["template"]["metadata"]["labels"].items()]
