"""The SSO family: log in, list companies, change company, refresh."""

from __future__ import annotations

from typing import Any

from aiohttp import web

from p21d.sandbox.hub.core import Core
from p21d.sandbox.hub.door import read_object
from p21d.sandbox.hub.lists import json_answer
from p21d.sandbox.hub.refusal import RefusedError
from p21d.sandbox.hub.tokens import Token

_USER_ID = 10231


class SignInRoutes:
    """Answer `/sso/v2/...`."""

    def __init__(self, core: Core) -> None:
        self._tokens = core.tokens
        self._settings = core.settings
        self._door = core.door
        self._identity = core.identity

    def add(self, router: web.UrlDispatcher) -> None:
        """Add the four calls."""
        router.add_post("/sso/v2/Auth/Login", self._door.open(self._login))
        router.add_post("/sso/v2/Auth/Refresh", self._door.open(self._refresh))
        router.add_get("/sso/v2/User/ChangeCompany/{company}", self._door.open(self._change_company))
        router.add_get("/sso/v2/User/{id}/Companies", self._door.open(self._companies))

    async def _login(self, request: web.Request) -> web.Response:
        body = await read_object(request)
        given = str(body.get("email_address", "")).lower(), body.get("password")
        if self._settings.login_refused or given != (self._identity.email.lower(), self._identity.password):
            raise RefusedError(
                "AUTH-1002", "The email address or password is wrong", status=self._settings.bad_login_status
            )
        return self._answer(self._tokens.issue(for_company=False), body)

    async def _refresh(self, request: web.Request) -> web.Response:
        body = await read_object(request)
        token = self._tokens.renew(str(body.get("access_token", "")), str(body.get("refresh_token", "")))
        return self._answer(token, body)

    async def _companies(self, request: web.Request) -> web.Response:
        self._tokens.admit_user(request.headers)
        if request.match_info["id"] != str(_USER_ID):
            raise RefusedError("AUTH-1004", "The user has no part in a company")
        company = {"id": self._identity.company_id, "name": "Acme Supply", "logo": None, "designation_id": 1}
        return json_answer([{**company, "user_type_id": 1, "designations": {"1": "Admin"}}])

    async def _change_company(self, request: web.Request) -> web.Response:
        self._tokens.admit_user(request.headers)
        if request.match_info["company"].lower() != self._identity.company_id.lower():
            raise RefusedError("AUTH-1004", "The company is unknown")
        return self._answer(self._tokens.issue(for_company=True), {})

    def _answer(self, token: Token, body: dict[str, Any]) -> web.Response:
        return json_answer(
            {
                "id": _USER_ID,
                "name": "Daemon",
                "email_address": self._identity.email,
                "access_token": token.access,
                "access_token_expiration": self._tokens.told_expiration(token),
                "refresh_token": token.refresh,
                "return_url": body.get("return_url"),
                "permissions": None,
                "tracking_guid": body.get("tracking_guid"),
            }
        )
