"""The SSO family and who may call what."""

from __future__ import annotations

from p21d.sandbox.hub import COMPANY_ID

CREDENTIALS = {"email_address": "daemon@example.com", "password": "hub-secret"}


async def test_login_tells_the_user_and_an_expiration_one_hour_ahead(api):
    api.bearer = ""
    answer = (await api.post("/sso/v2/Auth/Login", CREDENTIALS)).json
    assert answer["id"] == 10231
    assert answer["access_token_expiration"] == "2026-07-20T15:00:00+00:00"


async def test_a_bad_password_is_refused(api):
    assert (await api.post("/sso/v2/Auth/Login", {**CREDENTIALS, "password": "x"})).status == 401


async def test_a_bad_password_may_be_told_by_400(api, hub):
    hub.settings.bad_login_status = 400
    assert (await api.post("/sso/v2/Auth/Login", {**CREDENTIALS, "password": "x"})).status == 400


async def test_the_companies_of_the_user_are_listed(api):
    api.bearer = (await api.post("/sso/v2/Auth/Login", CREDENTIALS)).json["access_token"]
    companies = (await api.get("/sso/v2/User/10231/Companies")).json
    assert [company["id"] for company in companies] == [COMPANY_ID]


async def test_a_user_level_token_does_not_open_the_data_apis(api):
    api.bearer = (await api.post("/sso/v2/Auth/Login", CREDENTIALS)).json["access_token"]
    answer = await api.get("/customers/v2/Customers")
    assert (answer.status, answer.code) == (401, "AUTH-1004")


async def test_a_company_level_token_opens_the_data_apis(api):
    await api.login()
    assert (await api.get("/customers/v2/Customers")).status == 200


async def test_an_unknown_company_is_refused(api):
    await api.login()
    answer = await api.get("/sso/v2/User/ChangeCompany/00000000-0000-4000-8000-000000000000")
    assert (answer.status, answer.code) == (401, "AUTH-1004")


async def test_a_token_dies_after_its_lifetime(api, clock):
    await api.login()
    clock.advance(3600)
    answer = await api.get("/customers/v2/Customers")
    assert (answer.status, answer.code) == (401, "AUTH-1002")


async def test_an_expired_token_can_be_refreshed_without_a_bearer(api, clock):
    signed = await api.login()
    clock.advance(4000)
    api.bearer = ""
    pair = {name: signed[name] for name in ("access_token", "refresh_token")}
    api.bearer = (await api.post("/sso/v2/Auth/Refresh", pair)).json["access_token"]
    assert (await api.get("/customers/v2/Customers")).status == 200


async def test_a_refresh_can_be_refused(api, hub):
    signed = await api.login()
    hub.settings.refresh_refused = True
    pair = {name: signed[name] for name in ("access_token", "refresh_token")}
    assert (await api.post("/sso/v2/Auth/Refresh", pair)).status == 401


async def test_the_lifetime_and_a_clock_skew_are_settable(api, hub):
    hub.settings.token_lifetime_seconds = 60
    hub.settings.expiry_skew_seconds = 120
    assert (await api.login())["access_token_expiration"] == "2026-07-20T14:03:00+00:00"


async def test_a_token_dies_on_every_third_data_call(api, hub):
    hub.settings.token_dies_every = 3
    await api.login()
    statuses = []
    for _ in range(4):
        statuses.append((await api.get("/customers/v2/Customers")).status)  # noqa: PERF401
    assert statuses == [200, 200, 401, 401]


async def test_a_call_without_a_bearer_is_refused(api):
    api.bearer = ""
    answer = await api.get("/customers/v2/Customers")
    assert (answer.status, answer.code) == (401, "AUTH-1001")


async def test_the_webhook_key_opens_hooks_only(api):
    api.bearer = "hub-webhook-key"
    answer = await api.get("/customers/v2/Customers")
    hook = {"notifications": [{"scope": "customer/poll", "external_id": "12345"}]}
    assert (answer.status, (await api.post("/hookapi/v2/iPaaS", hook)).status) == (401, 200)


async def test_hooks_take_nothing_but_the_webhook_key(api):
    assert (await api.post("/hookapi/v2/iPaaS", {"notifications": [{}]})).status == 401


async def test_the_client_header_can_be_required(api, hub):
    hub.settings.require_client_id = "X-Client-Id"
    before = await api.get("/customers/v2/Customers")
    api.headers["X-Client-Id"] = COMPANY_ID
    assert (before.code, (await api.get("/customers/v2/Customers")).status) == ("AUTH-1004", 200)


async def test_a_permission_can_be_missing_for_one_verb_and_type(api, hub):
    hub.settings.denied = ["POST customer"]
    answer = await api.post("/customers/v2/Customer", {})
    assert (answer.status, answer.code) == (403, "AUTZ-1002")
