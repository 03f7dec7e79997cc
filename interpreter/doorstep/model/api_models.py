"""The models of AWS's APIs that botocore brings along, by the names that Step Functions has.

Read when the first name has to be looked up; without botocore (`pip install doorstep[aws]`) nothing
is known of an API. Step Functions writes members in PascalCase, whatever the API has: optimized
integrations with the API's own capitals, `aws-sdk:` ones as Java's SDK 2 does (fact 147).
"""

from __future__ import annotations

import gzip
import json
import re
from collections.abc import Mapping
from functools import lru_cache
from importlib.util import find_spec
from pathlib import Path
from typing import Any

BOTOCORE = {
    "applicationdiscovery": "discovery",
    "cloudwatchlogs": "logs",
    "cognitoidentityprovider": "cognito-idp",
    "costandusagereport": "cur",
    "costexplorer": "ce",
    "databasemigration": "dms",
    "directory": "ds",
    "directoryservicedata": "ds-data",
    "elasticloadbalancing": "elb",
    "elasticloadbalancingv2": "elbv2",
    "elasticmapreduce": "emr",
    "elasticsearch": "es",
    "eventbridge": "events",
    "iotdataplane": "iot-data",
    "iotjobsdataplane": "iot-jobs-data",
    "lexmodelbuilding": "lex-models",
    "lexmodelsv2": "lexv2-models",
    "lexruntime": "lex-runtime",
    "lexruntimev2": "lexv2-runtime",
    "marketplacemetering": "meteringmarketplace",
    "migrationhub": "mgh",
    "pinpointsmsvoice": "sms-voice",
    "serverlessapplicationrepository": "serverlessrepo",
    "sfn": "stepfunctions",
    "simpledb": "sdb",
    "states": "stepfunctions",
}
"""botocore's names, where they are not those of Step Functions, with or without hyphens."""
_NOT_OF_JAVA = {"elasticmapreduce": "emr", "states": "sfn"}
"""Names that only optimized integrations have, and those of `aws-sdk:`."""
_RETIRED = """
alexaforbusiness backupstorage codestar elasticinference elastictranscoder evidently gamesparks
honeycode iot1clickdevices iot1clickprojects iotanalytics iotevents ioteventsdata iotfleethub
iotroborunner lookoutmetrics lookoutvision macie mobile nimble opsworks opsworkscm panorama
privatenetworks qldb qldbsession robomaker simspaceweaver sms worklink
"""
"""Services whose model botocore has dropped: definitions still name them."""
_LEADING_CAPITALS = re.compile(r"^[A-Z]+(?![a-z])")


def pascal(name: str) -> str:
    """Return a name with a capital first letter."""
    return name[:1].upper() + name[1:]


def java(name: str) -> str:
    """Return a name with the capitals that Java's SDK 2 gives it: `ARN` is `Arn`."""
    if name == "NULL":
        return "Nul"  # `null` is taken in Java
    return pascal(_LEADING_CAPITALS.sub(lambda capitals: capitals[0].capitalize(), name))


def spellings(name: str) -> dict[str, None]:
    """Return how Step Functions may write a member: with the API's capitals, with Java's."""
    return dict.fromkeys((pascal(name), java(name)))


@lru_cache(maxsize=16)
def api_model(service: str) -> Mapping[str, Any]:
    """Return botocore's model of a service, as its JSON has it; {} when there is none."""
    folder = _folders().get(BOTOCORE.get(service, service).replace("-", ""))
    for version in sorted(folder.iterdir(), reverse=True) if folder else ():
        for name in ("service-2.json.gz", "service-2.json"):
            if (file := version / name).is_file():
                data = file.read_bytes()
                model: Mapping[str, Any] = json.loads(
                    gzip.decompress(data) if name.endswith(".gz") else data
                )
                return model
    return {}


def has_api(service: str) -> bool:
    """Return whether a service may be AWS's: the installed models have it, or can't say."""
    folders = _folders()
    name = BOTOCORE.get(service, service).replace("-", "")
    return not folders or name in folders or name in _RETIRED.split()


@lru_cache(maxsize=512)
def sdk_name(service: str) -> str:
    """Return how `aws-sdk:` calls a service of which botocore's or another name is given.

    Source: the guide, "Learning to use AWS service SDK integrations", whose list has the names of
    Java's packages: `cloudwatchlogs`, not botocore's `logs`.
    """
    plain = service.replace("-", "")
    if plain in _NOT_OF_JAVA:
        return _NOT_OF_JAVA[plain]
    return next(
        (
            name
            for name, botocore in BOTOCORE.items()
            if plain == botocore.replace("-", "") and plain not in BOTOCORE and plain != "emr"
        ),
        plain,
    )


@lru_cache(maxsize=512)
def api_operation(service: str, action: str) -> Mapping[str, Any] | None:
    """Return an action's operation in the model of its service; None when it has none."""
    operations: Mapping[str, Any] = api_model(service).get("operations", {})
    wanted = pascal(action)
    return operations.get(wanted) or next(
        (operation for own, operation in operations.items() if java(own) == wanted), None
    )


@lru_cache(maxsize=1)
def _folders() -> Mapping[str, Path]:
    """Return the folders of botocore's models by their names without hyphens."""
    # Looked for, not imported: botocore takes longer to import than to read a model.
    spec = find_spec("botocore")
    places = spec.submodule_search_locations if spec else None
    data = Path(next(iter(places))) / "data" if places else Path()
    if not places or not data.is_dir():
        return {}
    return {one.name.replace("-", ""): one for one in data.iterdir() if one.is_dir()}
