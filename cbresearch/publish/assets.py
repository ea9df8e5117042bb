"""The files that every page carries inside: style, script, the policy that lets nothing else run."""

from __future__ import annotations

import base64
import hashlib
from functools import cache
from pathlib import Path
from typing import Any

TEMPLATE = Path(__file__).parent / "template"


@cache
def asset(name: str) -> str:
    return (TEMPLATE / name).read_text(encoding="utf-8")


@cache
def template(name: str) -> Any:
    """A page that is no report, to be rendered."""
    import jinja2

    loader = jinja2.FileSystemLoader(TEMPLATE)
    return jinja2.Environment(loader=loader, autoescape=True).get_template(name)


def content_policy(script: str) -> str:
    """A Content-Security-Policy under which nothing may load and only this very script may run."""
    digest = base64.b64encode(hashlib.sha256(script.encode()).digest()).decode()
    return (
        f"default-src 'none'; img-src data:; style-src 'unsafe-inline'; script-src 'sha256-{digest}'; "
        "base-uri 'none'; form-action 'none'"
    )
