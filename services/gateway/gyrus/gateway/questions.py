"""A question that is understood only in part is refused: a misspelt filter would be answered with everything."""

from collections.abc import Iterator

from fastapi import HTTPException, Request
from fastapi.routing import APIRoute
from pydantic import BaseModel


async def only_known(request: Request) -> None:
    """Refuses parameters of a query that the route does not take."""
    known = list(_taken(request.scope["route"]))
    if unknown := [name for name in request.query_params if name not in known]:
        raise HTTPException(422, f"query.{unknown[0]}: there is no such parameter here. Parameters: {', '.join(known) or 'none'}.")


def _taken(route: APIRoute) -> Iterator[str]:
    """The names of the parameters of a route; of a model, those of its fields."""
    for parameter in route.dependant.query_params:
        kind = parameter.field_info.annotation
        if isinstance(kind, type) and issubclass(kind, BaseModel):
            yield from kind.model_fields
        else:
            yield parameter.alias
