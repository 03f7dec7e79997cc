"""What a `doorstep.yaml` may say."""

from __future__ import annotations

from .config_schema import TEXT, ArrayOf, Form, MapOf, Member, options

_TEXTS = ArrayOf(TEXT)
CONNECTION = Form(
    {
        "headers": Member(MapOf(TEXT), "headers that it adds, such as the key of an API"),
        "query": Member(MapOf(TEXT), "query parameters that it adds"),
        "body": Member(MapOf(TEXT), "members of the body that it adds"),
    }
)
FORM = Form(
    {
        "project": Member(TEXT, "the template, or the folder with it; by default this folder"),
        "services": Member(TEXT, "what answers AWS services: moto, a URL, aws"),
        "handlers": Member(_TEXTS, ".py files, folders of them, modules; later ones come first"),
        "mocks": Member(TEXT, "a file of mocks, or MockConfigFile.json#TESTCASE"),
        "clock": Member(options("virtual", "real"), "of `doorstep run`; virtual by default"),
        "executor": Member(TEXT, "where children of Maps run: inline, processes:N, dask"),
        "executors": Member(MapOf(TEXT), "the same by the names of Maps"),
        "parameters": Member(MapOf(TEXT), "a template's parameters, and what ${NAME} stands for"),
        "ignore": Member(_TEXTS, "codes of advice that `doorstep lint` leaves out"),
        "allow_hosts": Member(_TEXTS, "hosts that http:invoke may ask, beside this machine"),
        "connections": Member(MapOf(CONNECTION), "what EventBridge's connections add, by name"),
    }
)
