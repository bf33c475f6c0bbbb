"""What gyrus says about itself without any server: its topology and its settings."""

import json
import os
import re
from collections.abc import Mapping
from dataclasses import asdict, is_dataclass
from importlib import import_module
from typing import Any

from pydantic import SecretStr, ValidationError
from pydantic.fields import FieldInfo
from pydantic_settings import SettingsError

from gyrus.shared.settings import Settings
from gyrus.shared.topology import STAGES, STREAMS, SUBJECTS

Document = dict[str, Any]

SETTINGS = {
    "watcher": ("gyrus.watcher.settings", "WatcherSettings"),
    "extractor": ("gyrus.extractor.settings", "ExtractorSettings"),
    "classifier": ("gyrus.classifier.service", "ClassifierSettings"),
    "preprocessor": ("gyrus.preprocessor.service", "PreprocessorSettings"),
    "gateway": ("gyrus.gateway.settings", "GatewaySettings"),
}
UNITS = {"_s": "s", "_messages": "messages", "_files": "files", "_port": "port"}
PREFIX = "GYRUS_"
HIDDEN = "********"
_PASSWORD = re.compile(r"(?<=://)[^/@]*@")


def stages() -> list[Document]:
    """The stages: who owes what where, who pays, and which bell rings."""
    return [
        {
            "stage": stage.name,
            "room": stage.room,
            "collection": stage.collection,
            "subject": SUBJECTS[stage.event] if stage.event else None,
            "stream": stage.stream or None,
        }
        for stage in STAGES.values()
    ]


def streams() -> list[Document]:
    """The streams: what they store, and for how long."""
    return [
        {
            "stream": stream.name,
            "subjects": list(stream.subjects),
            "keeps": "until answered" if stream.work else "for several readers",
            "max_messages": stream.max_messages if stream.max_messages > 0 else None,
            "max_age_s": stream.max_age_s or None,
        }
        for stream in STREAMS
    ]


def settings_of(room: str | None, environment: Mapping[str, str] = os.environ) -> list[Document]:
    """The settings of a room, or of all: those that every room has come first and once, as room `every`."""
    rows: list[Document] = []
    for one in [room] if room else SETTINGS:
        for name, info in _class_of(one).model_fields.items():
            row = _row(one if _is_own(info, name) else "every", name, info, environment)
            if row not in rows:
                rows.append(row)
    return sorted(rows, key=lambda row: row["room"] != "every")


def wrong_settings(room: str | None) -> list[str]:
    """Settings of the environment that no room would take, and why."""
    found: set[str] = set()
    for one in [room] if room else SETTINGS:
        try:
            _class_of(one)()
        except (ValidationError, SettingsError) as error:
            found |= set(what_is_wrong(error))
    return sorted(found)


def what_is_wrong(error: ValidationError | SettingsError) -> list[str]:
    """Of settings that are there and of no use: their names, and why."""
    if isinstance(error, SettingsError):  # it names the field in its text only
        named = re.search(r'field "(\w+)"', str(error))
        return [f"{PREFIX}{named[1].upper()}: this is no JSON" if named else str(error)]
    wrong = (one for one in error.errors() if one["type"] != "missing" and one["loc"])
    return [f"{PREFIX}{_place(one['loc'])}: {one['msg']}" for one in wrong]


def _place(loc: tuple[int | str, ...]) -> str:
    """The name of a setting, and where in it."""
    name, *inside = map(str, loc)
    return " ".join([name.upper(), *([".".join(inside)] if inside else [])])


def _class_of(room: str) -> type[Settings]:
    module, name = SETTINGS[room]
    found: type[Settings] = getattr(import_module(module), name)
    return found


def _is_own(info: FieldInfo, name: str) -> bool:
    """Whether a room has a setting that others lack, or understands it in its own way."""
    common = Settings.model_fields.get(name)
    return common is None or (info.default, info.description) != (common.default, common.description)


def _row(room: str, name: str, info: FieldInfo, environment: Mapping[str, str]) -> Document:
    variable = PREFIX + name.upper()
    value = next((text for given, text in environment.items() if given.upper() == variable), None)
    origin = "environment" if value is not None else "required" if info.is_required() else "default"
    if value is None and not info.is_required():
        value = info.get_default(call_default_factory=True)
    if value is not None and info.annotation is SecretStr:
        value = HIDDEN
    unit = next((unit for ending, unit in UNITS.items() if name.endswith(ending)), None)
    return {"room": room, "name": variable, "value": _shown(value), "unit": unit, "origin": origin, "meaning": info.description}


def _shown(value: Any) -> Any:
    """Plain JSON, without the passwords that an address may bear; objects as they would be set."""
    if isinstance(value, tuple) and value and all(map(is_dataclass, value)):
        return json.dumps([{name: words for name, words in asdict(one).items() if words} for one in value])
    return _PASSWORD.sub(f"{HIDDEN}@", value) if isinstance(value, str) else value
