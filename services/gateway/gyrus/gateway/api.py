"""The HTTP API, version 1. Every request but health and metrics bears the key; lists are paged by key."""

from collections.abc import Awaitable, Callable
from typing import Annotated, Any, Literal

from fastapi import APIRouter, Depends, FastAPI, HTTPException, Query, Request
from fastapi.exceptions import RequestValidationError
from fastapi.openapi.docs import get_redoc_html, get_swagger_ui_html
from fastapi.responses import JSONResponse, Response
from fastapi.security import HTTPBearer
from prometheus_client import CONTENT_TYPE_LATEST

from gyrus.dicom.site_fields import site_fields_of, table_with
from gyrus.gateway import correcting, deleting, reviewing, ruling, status, subjects, uploads, views
from gyrus.gateway.guard import Guard
from gyrus.gateway.metrics import all_metrics
from gyrus.gateway.models import (
    Count,
    FileQuestion,
    JobRequest,
    Listing,
    Page,
    Problem,
    Retry,
    SeriesQuestion,
    StackQuestion,
    StudyQuestion,
)
from gyrus.gateway.paging import BadCursor, page
from gyrus.gateway.questions import only_known
from gyrus.gateway.settings import GatewaySettings
from gyrus.gateway.steering import Steering
from gyrus.shared import bus, store
from gyrus.shared.documents import FILE_OUTCOMES
from gyrus.shared.errors import Away, Misuse
from gyrus.shared.health import Health
from gyrus.shared.ids import ulid
from gyrus.shared.service import Service
from gyrus.shared.subject_rules import SubjectRules
from gyrus.shared.topology import STAGES

Document = dict[str, Any]
PROBLEMS: dict[int | str, dict[str, Any]] = {
    401: {"model": Problem, "description": "The key is missing or wrong."},
    404: {"model": Problem, "description": "There is no such thing, or the cursor belongs to another question."},
    409: {"model": Problem, "description": "What was asked cannot be done; the detail says what can."},
    422: {"model": Problem, "description": "The request is not understood."},
    503: {"model": Problem, "description": "A server is away; try again."},
}
Cohort = Annotated[str | None, Query(description="Only of this cohort.")]
Cursor = Annotated[str | None, Query(description="`next` of the page before.")]
Limit = Annotated[int, Query(ge=1, le=1000, description="How many at most.")]
Phi = Annotated[bool, Query(description="Also what identifies a person (names, ids, paths); the read is audited.")]


def application(service: Service, settings: GatewaySettings, steering: Steering, health: Health) -> FastAPI:
    """The whole application: health and metrics (numbers without names), open; the API and its description, behind the key."""
    about = "Subjects, studies, series and stacks of a neuroimaging archive."
    app = FastAPI(title="gyrus", version="1", description=about, responses=PROBLEMS, openapi_url=None)
    app.router.routes.extend(route for route in health.routes() if getattr(route, "path", "") != "/metrics")

    @app.get("/metrics", include_in_schema=False)
    async def metrics() -> Response:
        return Response(await all_metrics(settings.metrics_of), media_type=CONTENT_TYPE_LATEST)

    app.add_middleware(Guard, key=settings.api_key.get_secret_value())
    key = HTTPBearer(auto_error=False, description="The key that `gyrus up` made, or GYRUS_API_KEY.")  # told; the guard asks for it
    _description(app)
    api = APIRouter(prefix="/api/v1", dependencies=[Depends(key), Depends(only_known)])
    _jobs(api, service, steering)
    _reading(api, service, views.personal(table_with(site_fields_of(settings.site_fields))))
    _trouble(api, service, steering)
    api.include_router(uploads.routes(service, settings, steering))
    api.include_router(deleting.router(service))
    api.include_router(correcting.router(service, steering))
    api.include_router(reviewing.router(service))
    api.include_router(ruling.router(service))
    app.include_router(api)
    _errors(app)
    return app


def _description(app: FastAPI) -> None:
    @app.get("/openapi.json", include_in_schema=False)
    async def openapi() -> Document:
        return app.openapi()

    @app.get("/docs", include_in_schema=False)
    async def docs() -> Response:
        return get_swagger_ui_html(openapi_url="/openapi.json", title="gyrus")

    @app.get("/redoc", include_in_schema=False)
    async def redoc() -> Response:
        return get_redoc_html(openapi_url="/openapi.json", title="gyrus")


def _errors(app: FastAPI) -> None:
    def answer(code: int) -> Callable[[Request, Exception], Awaitable[Response]]:
        async def handler(_: Request, error: Exception) -> Response:
            return JSONResponse({"detail": str(error)}, status_code=code)

        return handler

    async def other(_: Request, error: Exception) -> Response:
        away = store.is_away(error) or bus.is_away(error)
        detail = "A server is away; try again." if away else "This failed; the gateway's log says why."
        return JSONResponse({"detail": detail}, status_code=503 if away else 500)

    async def not_understood(_: Request, error: Exception) -> Response:
        assert isinstance(error, RequestValidationError)
        told = "; ".join(f"{'.'.join(map(str, one['loc']))}: {one['msg'].removeprefix('Value error, ')}" for one in error.errors()[:10])
        return JSONResponse({"detail": told}, status_code=422)

    app.add_exception_handler(RequestValidationError, not_understood)
    app.add_exception_handler(UnicodeError, answer(422))
    app.add_exception_handler(BadCursor, answer(404))
    app.add_exception_handler(Misuse, answer(409))
    app.add_exception_handler(Away, answer(503))
    app.add_exception_handler(Exception, other)


def _jobs(api: APIRouter, service: Service, steering: Steering) -> None:
    db, rules = service.store, SubjectRules(service.store, service.sources)

    @api.post("/jobs", status_code=201, tags=["jobs"])
    async def start_jobs(request: JobRequest) -> list[Document]:
        """Start a scan of a folder, a source, or of all places that a cohort was fed from."""
        started = await steering.start_jobs(request)
        await _audit(service, "start jobs", request.cohort)
        return await status.jobs(db, started)

    @api.get("/jobs", tags=["jobs"])
    async def list_jobs(cohort: Cohort = None, cursor: Cursor = None, limit: Limit = 100) -> Page:
        """Jobs, oldest first."""
        items, following = await page(db["jobs"], {"cohort": cohort} if cohort else {}, cursor, limit)
        return Page(items=await status.jobs(db, items), next=following)

    @api.get("/jobs/{job}", tags=["jobs"])
    async def get_job(job: str, phi: Phi = False) -> Document:
        """One job, its totals and what its cohort still owes; with `phi` the subject folders that a dry run found."""
        found = await _found(service, "jobs", job)
        await _audit_phi(service, phi, "get job", found["cohort"])
        return (await status.jobs(db, [found]))[0] | ({"folders": found.get("folders")} if phi else {})

    @api.post("/jobs/{job}/{action}", tags=["jobs"])
    async def steer_job(job: str, action: Literal["pause", "resume", "cancel"]) -> Document:
        """Pause, resume or cancel a scan; what was announced is read in any case."""
        found = await _found(service, "jobs", job)
        await (steering.resume(found) if action == "resume" else steering.stop(found, action))
        await _audit(service, f"{action} job", found["cohort"])
        return await get_job(job)

    @api.get("/status", tags=["jobs"])
    async def get_status(cohort: Cohort = None, phi: Phi = False) -> Document:
        """Everything at a glance: counts, outcomes, what is owed, what failed, files whose folder has no subject code."""
        await _audit_phi(service, phi, "get status", cohort)
        return {**await status.overview(db, cohort), "unmapped": await subjects.unmapped(db, rules, cohort, phi)}

    @api.get("/sources", tags=["jobs"])
    async def list_sources() -> Document:
        """The sources that the servers see."""
        return {name: source.model_dump(mode="json") for name, source in service.sources.all().items()}


def _reading(api: APIRouter, service: Service, personal: frozenset[str]) -> None:
    db = service.store

    @api.get("/files", tags=["documents"])
    async def list_files(asked: Annotated[FileQuestion, Query()]) -> Page:
        """Files by outcome: extracted, duplicate, conflicting, rejected (with its reason)."""
        items, following = await page(db["files"], asked.query(), asked.cursor, asked.limit, await _for_index(service, asked))
        await _audit_phi(service, asked.phi, "list files", asked.cohort)
        return Page(items=[views.file(item, _hidden(personal, asked.phi)) for item in items], next=following)

    _collection(api, service, "subjects", Listing, personal)
    _collection(api, service, "studies", StudyQuestion, personal)
    _collection(api, service, "series", SeriesQuestion, personal)
    _collection(api, service, "stacks", StackQuestion, personal)


def _hidden(personal: frozenset[str], phi: bool) -> frozenset[str]:
    return views.INTERNAL if phi else views.INTERNAL | personal


async def _for_index(service: Service, asked: FileQuestion) -> Document:
    """What leads a question about files to an index in the order of their ids: each cohort, each outcome."""
    if asked.cohort is not None:
        return {} if asked.outcome or asked.reason else {"outcome": {"$in": FILE_OUTCOMES}}
    if not (asked.outcome or asked.reason):
        return {}
    return {"cohort": {"$in": await service.store["files"].distinct("cohort")}}


def _collection(api: APIRouter, service: Service, name: str, kind: type[Listing], personal: frozenset[str]) -> None:
    db = service.store
    view: views.View = views.VIEWS.get(name, views.visible)

    @api.get(f"/{name}", tags=["documents"], name=f"list_{name}")
    async def list_documents(question: Annotated[kind, Query()]) -> Page:  # type: ignore[valid-type]
        asked: Listing = question
        wanted = asked.query() | ({"retired": False} if name == "stacks" else {})
        items, following = await page(db[name], wanted, asked.cursor, asked.limit)
        await _audit_phi(service, asked.phi, f"list {name}", asked.cohort)
        return Page(items=[view(item, _hidden(personal, asked.phi)) for item in items], next=following)

    @api.get(f"/{name}/{{id:path}}", tags=["documents"], name=f"get_{name}")
    async def get_document(id: str, phi: Phi = False) -> Document:
        document = await _found(service, name, id)
        await _audit_phi(service, phi, f"get {name}", document.get("cohort"))
        hidden = _hidden(personal, phi)
        if name != "stacks":
            return view(document, hidden)
        study = await db["studies"].find_one({"_id": document["study"]}, {"visit": 1}) or {}
        return {**views.whole_stack(document, study, hidden), "conflicts": await _conflicts(service, document)}

    list_documents.__doc__ = f"{name.capitalize()}, by id."
    get_document.__doc__ = f"One of the {name}."


def _trouble(api: APIRouter, service: Service, steering: Steering) -> None:
    db = service.store

    @api.get("/failures", tags=["trouble"])
    async def list_failures(cohort: Cohort = None, limit: Limit = 100) -> list[Document]:
        """Work that raised five times: where, what, and what to do."""
        found: list[Document] = []
        for stage in STAGES.values():
            query = {"failure.stage": stage.name, **({"cohort": cohort} if cohort else {})}
            async for document in db[stage.collection].find(query, {"failure": 1, "cohort": 1}).limit(limit):
                found.append({"id": document["_id"], "cohort": document["cohort"], **document["failure"]})
        return found

    @api.post("/failures/retry", tags=["trouble"])
    async def retry(request: Retry) -> Count:
        """Owe again what failed."""
        if request.stage not in (None, *STAGES):
            raise Misuse(f"there is no stage '{request.stage}'. Stages: {', '.join(STAGES)}.")
        count = await steering.retry(request.stage, request.id)
        await _audit(service, "retry", None)
        return Count(count=count)

    @api.get("/dead-letters", tags=["trouble"])
    async def list_dead_letters(cursor: Cursor = None, limit: Limit = 100) -> Page:
        """Messages that could not be parsed, and why."""
        items, following = await page(db["dead_letters"], {}, cursor, limit)
        shown = [{**item, "body": item["body"].decode("utf-8", "replace")[:2000]} for item in items]
        return Page(items=[{"id": item.pop("_id"), **item} for item in shown], next=following)

    @api.post("/settle", tags=["trouble"])
    async def settle_now(cohort: str) -> Count:
        """Settle now what waits for quiet."""
        await _audit(service, "settle now", cohort)
        return Count(count=await steering.settle_now(cohort))

    @api.post("/reconcile", tags=["trouble"])
    async def reconcile() -> Count:
        """After a restored backup: settle every series, look for every volume, scan every place."""
        await _audit(service, "reconcile", None)
        return Count(count=await steering.reconcile())


async def _found(service: Service, collection: str, id_: str) -> Document:
    document = await service.store[collection].find_one({"_id": id_})
    if document is None:
        raise HTTPException(404, f"There is none of the {collection} with the id '{id_}'. List them to see which there are.")
    return document


async def _conflicts(service: Service, stack: Document) -> list[Document]:
    """What contradicts itself in the study and the series of a stack."""
    found: list[Document] = []
    for level, collection in (("study", "studies"), ("series", "series")):
        document = await service.store[collection].find_one({"_id": stack[level]}, {"conflicts": 1}) or {}
        found += [{"of": level, **conflict} for conflict in document.get("conflicts", ())]
    return found


async def _audit_phi(service: Service, phi: bool, what: str, cohort: str | None) -> None:
    if phi:
        await _audit(service, what + " with identifying fields", cohort)


async def _audit(service: Service, what: str, cohort: str | None) -> None:
    await service.store["audit"].insert_one({"_id": ulid(), "at": await service.store.now(), "what": what, "cohort": cohort})
