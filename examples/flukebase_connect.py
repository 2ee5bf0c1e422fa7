#!/usr/bin/env python3
"""The deployment tools of flukebase_connect, as handlers that call FlukeDeploy's REST API. Needs nothing but Python 3.9.

A handler gets the arguments of its tool, by the names that the API itself uses, and answers what the API answers:
a deployment, a page of the log, a plan. What FlukeDeploy refuses is answered as {"error": {...}}, with the code, the
message and the hint of its problem document, so that the agent can act on it.

From a shell: FLUKEDEPLOY_TOKEN=… python3 flukebase_connect.py deploy_history '{"app_name": "api-server", "limit": 10}'
"""

from __future__ import annotations

import asyncio
import json
import os
import sys
from dataclasses import dataclass
from typing import Any, Optional
from urllib.error import HTTPError
from urllib.parse import quote, urlencode
from urllib.request import Request, urlopen

FINAL = {"success", "failed", "rolled_back", "cancelled"}
WAIT_SECONDS = 30
TIMEOUT_SECONDS = 60
SCAN_TIMEOUT_SECONDS = 1200  # tests and scans of an image take their time


@dataclass(frozen=True)
class ServiceContext:
    """Where FlukeDeploy is, and the agent's own token."""

    token: str
    url: str = "http://localhost:3000"

    @classmethod
    def from_environment(cls) -> ServiceContext:
        return cls(os.environ["FLUKEDEPLOY_TOKEN"], os.environ.get("FLUKEDEPLOY_URL", cls.url).rstrip("/"))


async def handle_deploy_app(args: dict, ctx: ServiceContext) -> dict:
    """app_name, image, replicas, strategy, validation_level, auto_rollback, and any other field of POST /api/v1/deploy."""
    return await _call(ctx, "POST", "/api/v1/deploy", body=args)


async def handle_deploy_status(args: dict, ctx: ServiceContext) -> dict:
    """deployment_id; with wait_seconds it answers when something has changed."""
    deployment_id, query = _without(args, "deployment_id")
    return await _call(ctx, "GET", f"/api/v1/deployments/{deployment_id}", query=query)


async def handle_deploy_logs(args: dict, ctx: ServiceContext) -> dict:
    """app_name, level, limit, …; with follow it reads on until the app's newest deployment has ended."""
    query = {**args}
    if not query.pop("follow", False):
        return await _call(ctx, "GET", "/api/v1/logs", query=query)
    app_name, _ = _without(args, "app_name")
    newest = await _call(ctx, "GET", f"/api/v1/apps/{app_name}/deployments", query={"limit": 1})
    if "error" in newest:
        return newest
    return await _followed(newest["deployments"][0]["deployment_id"], ctx)


async def handle_deploy_rollback(args: dict, ctx: ServiceContext) -> dict:
    """app_name, version, reason; without a version to the last good release before."""
    app_name, body = _without(args, "app_name")
    return await _call(ctx, "POST", f"/api/v1/apps/{app_name}/rollback", body=body)


async def handle_deploy_validate(args: dict, ctx: ServiceContext) -> dict:
    """app_name, environment, run_tests, run_security_scan, and any field of a deployment; nothing is changed."""
    return await _call(ctx, "POST", "/api/v1/validate", body=args, timeout=SCAN_TIMEOUT_SECONDS)


async def handle_deploy_history(args: dict, ctx: ServiceContext) -> dict:
    """app_name, limit."""
    app_name, query = _without(args, "app_name")
    return await _call(ctx, "GET", f"/api/v1/apps/{app_name}/deployments", query=query)


HANDLERS = {
    "deploy_app": handle_deploy_app,
    "deploy_status": handle_deploy_status,
    "deploy_logs": handle_deploy_logs,
    "deploy_rollback": handle_deploy_rollback,
    "deploy_validate": handle_deploy_validate,
    "deploy_history": handle_deploy_history,
}


async def _followed(deployment_id: str, ctx: ServiceContext) -> dict:
    """Every entry of the deployment, in order. The cursor loses none and repeats none, whatever happens in between."""
    entries: list[dict] = []
    query: dict[str, Any] = {"wait_seconds": WAIT_SECONDS}
    while True:
        page = await _call(ctx, "GET", f"/api/v1/deployments/{deployment_id}/logs", query=query)
        if "error" in page:
            return page
        fresh = [entry for phase in page["phases"].values() for entry in phase]
        entries += sorted(fresh, key=lambda entry: entry["flukedeploy_metadata"]["sequence"])
        query["cursor"] = page["next_cursor"]
        if page["status"] in FINAL and not fresh:
            return {"deployment_id": deployment_id, "status": page["status"], "entries": entries}


def _without(args: dict, name: str) -> tuple[str, dict]:
    """What stands in the path, and the rest."""
    rest = {**args}
    return quote(str(rest.pop(name)), safe=""), rest


async def _call(
    ctx: ServiceContext,
    method: str,
    path: str,
    query: Optional[dict] = None,
    body: Optional[dict] = None,
    timeout: int = TIMEOUT_SECONDS,
) -> dict:
    """urllib waits for its answer, so it does that in a thread of its own."""
    url = ctx.url + path + ("?" + urlencode(query) if query else "")
    headers = {"Authorization": f"Bearer {ctx.token}", "Content-Type": "application/json"}
    data = None if body is None else json.dumps(body).encode()
    return await asyncio.to_thread(_send, Request(url, data, headers, method=method), timeout)


def _send(request: Request, timeout: int) -> dict:
    try:
        with urlopen(request, timeout=timeout) as response:
            return json.load(response)
    except HTTPError as refusal:
        return {"error": json.load(refusal)}


if __name__ == "__main__":
    tool, arguments = sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "{}"
    result = asyncio.run(HANDLERS[tool](json.loads(arguments), ServiceContext.from_environment()))
    print(json.dumps(result, indent=2))
    sys.exit("error" in result)
