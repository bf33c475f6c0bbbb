"""The manifests of Kubernetes, checked against its schemas, against kustomize and against our own code."""

import copy
import json
import re
import shutil
import subprocess
from importlib.resources import files
from pathlib import Path

import kubernetes_validate  # type: ignore[import-untyped]
import pytest
import yaml
from pydantic import SecretStr

from deploy.manifests import (
    BASE,
    CONFIG,
    DEPLOYMENTS,
    FILES,
    JOB,
    KUSTOMIZATION,
    LABEL,
    OBJECTS,
    ROOMS,
    ROOT,
    SECRETS,
    VERSION,
    WORKLOADS,
    Object,
    container_of,
    mounts_of,
    name_of,
    of_kind,
    pod_of,
    secrets_of,
    selected,
)
from gyrus.shared import ensure
from gyrus.shared.health import Health
from gyrus.shared.settings import Settings
from gyrus.shared.topology import STAGES

KUBERNETES = ("1.35", "1.36", "1.37")
CLOSING_S = 5  # of connections, after work in hand is finished
every_room = pytest.mark.parametrize("room", ROOMS)
every_workload = pytest.mark.parametrize("workload", WORKLOADS, ids=name_of)


# ── the tree ─────────────────────────────────────────────────────────────────────────────────────────────────────────


@pytest.mark.skipif(shutil.which("kubectl") is None, reason="kubectl, which renders with kustomize, is not on PATH")
def test_kubectl_renders_what_these_tests_look_at() -> None:
    rendered = subprocess.run(["kubectl", "kustomize", str(BASE)], check=True, capture_output=True, text=True)

    assert rendered.stderr == ""  # a deprecated field would be named here
    by_id = {(found["kind"], name_of(found)): found for found in yaml.safe_load_all(rendered.stdout)}
    assert by_id == {(found["kind"], name_of(found)): found for found in OBJECTS}


def test_every_file_is_listed_and_holds_one_object_that_its_name_tells() -> None:
    assert sorted(path.name for path in BASE.iterdir()) == sorted([*FILES, "kustomization.yaml"])
    for name, found in FILES.items():
        assert name == f"{found['metadata']['labels'][LABEL + 'component']}-{found['kind'].lower()}.yaml"
        assert name_of(found).removeprefix("gyrus-") == name.split("-")[0]


@pytest.mark.parametrize("version", KUBERNETES)
def test_every_object_is_as_kubernetes_says(version: str) -> None:
    for found in OBJECTS:
        assert kubernetes_validate.validate(found, version, strict=True) == version


def test_the_schemas_refuse_a_misspelt_field() -> None:
    wrong = copy.deepcopy(DEPLOYMENTS["watcher"])
    container_of(wrong)["imagee"] = container_of(wrong).pop("image")

    with pytest.raises(kubernetes_validate.ValidationError):
        kubernetes_validate.validate(wrong, KUBERNETES[-1], strict=True)


def test_every_object_and_pod_bears_the_same_four_labels() -> None:
    for found in OBJECTS:
        labels = {key: value for key, value in found["metadata"]["labels"].items() if key.startswith(LABEL)}
        component = labels[LABEL + "component"]
        expected = {"name": "gyrus", "component": component, "part-of": "gyrus", "version": VERSION}
        assert labels == {LABEL + key: value for key, value in expected.items()}
        if found in WORKLOADS:
            assert found["spec"]["template"]["metadata"]["labels"] == labels


def test_images_have_the_version_of_the_package() -> None:
    assert {room: container_of(found)["image"] for room, found in DEPLOYMENTS.items()} == {
        room: f"gyrus-{room}:{VERSION}" for room in ROOMS
    }
    assert container_of(JOB)["image"] in {f"gyrus-{room}:{VERSION}" for room in ROOMS}


# ── the rooms ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_every_room_has_exactly_one_deployment() -> None:
    assert sorted(name_of(found) for found in of_kind("Deployment")) == sorted(ROOMS)
    assert {stage.room for stage in STAGES.values()} | {"gateway"} == set(ROOMS)


@every_room
def test_a_pod_runs_its_room_and_never_none(room: str) -> None:
    assert container_of(DEPLOYMENTS[room])["command"] == ["python", "-m", f"gyrus.{room}"]
    assert files(f"gyrus.{room}").joinpath("__main__.py").is_file()
    assert DEPLOYMENTS[room]["spec"]["replicas"] >= 1


def test_the_job_makes_the_topology_and_ends() -> None:
    assert container_of(JOB)["command"] == ["python", "-m", ensure.__name__]
    assert pod_of(JOB)["restartPolicy"] in {"Never", "OnFailure"}
    for limit in ("backoffLimit", "activeDeadlineSeconds", "ttlSecondsAfterFinished"):
        assert JOB["spec"][limit] > 0


@every_room
def test_probes_ask_routes_that_the_frame_serves_on_the_port_that_it_listens_at(room: str) -> None:
    async def readiness() -> dict[str, str]:
        return {}

    served = {getattr(route, "path", None) for route in Health(readiness).routes()}
    container = container_of(DEPLOYMENTS[room])

    asked = {probe: container[probe + "Probe"]["httpGet"] for probe in ("startup", "liveness", "readiness")}
    assert {probe: get["path"] for probe, get in asked.items()} == {"startup": "/livez", "liveness": "/livez", "readiness": "/readyz"}
    assert {"/livez", "/readyz", "/metrics"} <= served
    assert {get["port"] for get in asked.values()} == {"http"}
    assert [(port["name"], str(port["containerPort"])) for port in container["ports"]] == [("http", CONFIG["GYRUS_HTTP_PORT"])]
    assert container["readinessProbe"]["timeoutSeconds"] > 4  # the frame asks two servers, each for at most 2 s


@every_room
def test_a_pod_ends_later_than_its_work_in_hand(room: str) -> None:
    pause_s = container_of(DEPLOYMENTS[room]).get("lifecycle", {}).get("preStop", {}).get("sleep", {}).get("seconds", 0)

    assert pod_of(DEPLOYMENTS[room])["terminationGracePeriodSeconds"] > pause_s + float(CONFIG["GYRUS_GRACE_S"]) + CLOSING_S


# ── settings and secrets ─────────────────────────────────────────────────────────────────────────────────────────────


def test_every_key_of_the_configmap_is_a_setting_that_is_not_secret() -> None:
    settings = {f"GYRUS_{field.upper()}" for room in ROOMS.values() for field in room.model_fields}

    assert CONFIG.keys() <= settings - SECRETS
    assert settings >= SECRETS


@pytest.mark.parametrize(("room", "settings"), [*ROOMS.items(), ("topology", Settings)])
def test_a_room_starts_with_the_environment_of_its_pod_and_nothing_else(
    room: str, settings: type[Settings], monkeypatch: pytest.MonkeyPatch
) -> None:
    workload = DEPLOYMENTS.get(room, JOB)
    assert container_of(workload)["envFrom"] == [{"configMapRef": {"name": "gyrus-settings"}}]
    environment = CONFIG | dict.fromkeys(secrets_of(workload), "from-the-secret-of-32-characters")
    required = {f"GYRUS_{name.upper()}" for name, field in settings.model_fields.items() if field.is_required()}
    assert required <= environment.keys()
    for name in [f"GYRUS_{field.upper()}" for field in settings.model_fields]:
        monkeypatch.delenv(name, raising=False)
    for name, value in environment.items():
        monkeypatch.setenv(name, value)

    made = settings()

    assert made.http_host == "0.0.0.0"
    assert {source.path for source in made.sources.values()} == {Path("/data/inbox")}


@every_workload
def test_a_pod_gets_the_secrets_that_its_settings_name_and_no_other(workload: Object) -> None:
    settings = ROOMS.get(name_of(workload), Settings)
    own = {f"GYRUS_{name.upper()}" for name, field in settings.model_fields.items() if field.annotation is SecretStr}

    assert secrets_of(workload) == {key: {"name": "gyrus-secrets", "key": key} for key in own | {"GYRUS_MONGO_URL", "GYRUS_NATS_URL"}}


def test_no_secret_value_is_in_the_tree() -> None:
    assert not of_kind("Secret")
    assert "secretGenerator" not in KUSTOMIZATION
    for path in (ROOT / "deploy").rglob("*"):
        if path.is_file():
            text = path.read_text()
            assert not re.search(r"://[^/\s:@]+:[^/\s@]+@", text), f"{path.name} holds a URL with a password"
            for value in re.findall(r"GYRUS_(?:SUBJECT_KEY|API_KEY|MONGO_URL|NATS_URL)[=:](.*)", text):
                plain = r'"\$\(openssl rand -hex 32\)"|(mongo|nats)-url\.txt|\'?(mongodb|nats)://127\.0\.0\.1:'
                assert re.match(plain, value.strip()), path.name


# ── what a pod may do ────────────────────────────────────────────────────────────────────────────────────────────────


@every_workload
def test_a_pod_is_restricted(workload: Object) -> None:
    pod, container = pod_of(workload), container_of(workload)

    identity = {key: pod["securityContext"][key] for key in ("runAsNonRoot", "runAsUser", "runAsGroup", "fsGroup", "seccompProfile")}
    ids = dict.fromkeys(("runAsUser", "runAsGroup", "fsGroup"), 10001)
    assert identity == {"runAsNonRoot": True, "seccompProfile": {"type": "RuntimeDefault"}, **ids}
    closed = {"allowPrivilegeEscalation": False, "readOnlyRootFilesystem": True, "capabilities": {"drop": ["ALL"]}}
    assert container["securityContext"] == closed
    assert (pod["automountServiceAccountToken"], pod["enableServiceLinks"]) == (False, False)
    assert pod["serviceAccountName"] in {name_of(found) for found in of_kind("ServiceAccount")}
    assert not {"hostNetwork", "hostPID", "hostIPC", "initContainers"} & pod.keys()


def test_the_namespace_refuses_pods_that_are_not_restricted() -> None:
    assert of_kind("Namespace")[0]["metadata"]["labels"]["pod-security.kubernetes.io/enforce"] == "restricted"
    assert not any(account["automountServiceAccountToken"] for account in of_kind("ServiceAccount"))


@every_workload
def test_a_pod_asks_for_and_is_limited_in_cpu_and_memory(workload: Object) -> None:
    resources = container_of(workload)["resources"]

    assert {part: set(resources[part]) for part in resources} == {"requests": {"cpu", "memory"}, "limits": {"cpu", "memory"}}


def test_the_extractor_has_room_for_what_its_workers_may_take() -> None:
    limit = container_of(DEPLOYMENTS["extractor"])["resources"]["limits"]["memory"]
    workers, mb = (ROOMS["extractor"].model_fields[name].default for name in ("read_workers", "read_memory_mb"))

    assert int(limit.removesuffix("Mi")) >= workers * mb + 384


@every_workload
def test_a_pod_can_write_to_a_bounded_tmp(workload: Object) -> None:
    assert {"name": "tmp", "mountPath": "/tmp"} in container_of(workload)["volumeMounts"]
    assert all(set(volume["emptyDir"]) == {"sizeLimit"} for volume in pod_of(workload)["volumes"] if "emptyDir" in volume)


def test_sources_are_mounted_read_only_where_files_are_opened_and_uploads_for_writing_where_they_come() -> None:
    path: str = json.loads(CONFIG["GYRUS_SOURCES"])["inbox"]["path"]
    inbox = (path, True, True)
    uploads = (CONFIG["GYRUS_UPLOADS"], True, True)
    processed = (CONFIG["GYRUS_PROCESSED"], False, False)
    claims = {name_of(found) for found in of_kind("PersistentVolumeClaim")}

    assert {name_of(found): mounts for found in WORKLOADS if (mounts := mounts_of(found))} == {
        "watcher": {"gyrus-inbox": inbox, "gyrus-uploads": uploads},
        "extractor": {"gyrus-inbox": inbox, "gyrus-uploads": uploads},
        "preprocessor": {"gyrus-inbox": inbox, "gyrus-uploads": uploads, "gyrus-processed": processed},
        "gateway": {"gyrus-uploads": (CONFIG["GYRUS_UPLOADS"], False, False)},
    }
    assert claims == {"gyrus-inbox", "gyrus-uploads", "gyrus-processed"}


# ── who finds and reaches whom ───────────────────────────────────────────────────────────────────────────────────────


@every_room
def test_everything_of_a_room_selects_its_pods_alone(room: str) -> None:
    service, budget = (next(found for found in of_kind(kind) if name_of(found) == room) for kind in ("Service", "PodDisruptionBudget"))
    (spread,) = pod_of(DEPLOYMENTS[room])["topologySpreadConstraints"]

    assert selected(service["spec"]["selector"]) == [room]
    assert selected(budget["spec"]["selector"]["matchLabels"]) == [room]
    assert selected(spread["labelSelector"]["matchLabels"]) == [room]
    assert selected(DEPLOYMENTS[room]["spec"]["selector"]["matchLabels"]) == [room]
    assert [(port["name"], port["targetPort"]) for port in service["spec"]["ports"]] == [("http", "http")]


def test_selectors_do_not_change_with_the_version() -> None:
    for found in DEPLOYMENTS.values():
        assert found["spec"]["selector"]["matchLabels"].keys() == {LABEL + "name", LABEL + "component"}


def test_only_named_edges_pass_the_network() -> None:
    policies = {name_of(found): found["spec"] for found in of_kind("NetworkPolicy")}
    everyone = sorted(name_of(found) for found in WORKLOADS)

    def ports(direction: str) -> dict[str, set[object]]:
        return {
            name: {port["port"] for edge in spec[direction] for port in edge["ports"]}
            for name, spec in policies.items()
            if direction in spec
        }

    assert policies.pop("deny") == {"podSelector": {}, "policyTypes": ["Ingress", "Egress"]}
    assert ports("egress") == {"dns": {53}, "nats": {4222}, "mongodb": {27017}}
    assert ports("ingress") == {"metrics": {"http"}, "gateway": {"http"}}
    reached = {name: sorted(selected(spec["podSelector"]["matchLabels"])) for name, spec in policies.items()}
    assert reached == dict.fromkeys(("dns", "nats", "mongodb", "metrics"), everyone) | {"gateway": ["gateway"]}
    peers = [
        peer
        for spec in policies.values()
        for edge in (*spec.get("egress", ()), *spec.get("ingress", ()))
        for peer in edge.get("to") or edge["from"]
    ]
    assert all(peer["namespaceSelector"].get("matchLabels") for peer in peers)


# ── the image ────────────────────────────────────────────────────────────────────────────────────────────────────────


def test_the_image_runs_a_module_as_the_user_of_the_pods() -> None:
    lines = (ROOT / "deploy/Containerfile").read_text().splitlines()
    context = pod_of(JOB)["securityContext"]

    assert f"USER {context['runAsUser']}:{context['runAsGroup']}" in lines
    assert lines[-1] == 'ENTRYPOINT ["python", "-m"]'
