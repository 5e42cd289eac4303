from __future__ import annotations

import msgspec
import pytest

from p21d.errors import Forbidden, NotSent, RequestTimeout, Unavailable
from p21d.http import HttpAnswer
from p21d.prophet21.orders.answer import outcome_of, outcome_without_answer
from p21d.prophet21.orders.port import Verdict

CREATED, REFUSED, UNKNOWN, BUSY = Verdict.CREATED, Verdict.REFUSED, Verdict.UNKNOWN, Verdict.BUSY
ORDER_NO = {"Name": "order_no", "Value": "1400215"}


def transaction(*edits, status="Passed", element="TABPAGE_1.order"):
    return {"Status": status, "DataElements": [{"Name": element, "Rows": [{"Edits": list(edits or [ORDER_NO])}]}]}


def body(*messages, succeeded=0, failed=1, other=0, **more):
    summary = {"Succeeded": succeeded, "Failed": failed, "Other": other}
    return {"Messages": [f"Transaction 1:: {words}" for words in messages], "Results": None, "Summary": summary, **more}


def success(*transactions, **counts):
    results = {"Name": "Order", "Transactions": list(transactions or [transaction()])}
    return body("", **{"succeeded": 1, "failed": 0, "Results": results, **counts})


def answer(content=b"", status=200):
    raw = content if isinstance(content, bytes) else msgspec.json.encode(content)
    return HttpAnswer(status, "", {}, raw)


ANSWERS = [
    # facts 5.5, line by line
    (answer(success()), CREATED),
    (answer(body("Customer ID is required")), REFUSED),
    (answer(body("Column is disabled: company_id")), REFUSED),
    (answer(body("Invalid column name: source_location_id")), REFUSED),
    (answer(body("Invalid contact_id value: 77")), REFUSED),
    (answer(body("General Exception: Sequence contains no matching element")), REFUSED),
    (answer(body("General Exception: Tab page is disabled and cannot be selected")), REFUSED),
    (answer(body("Customer 200003 is on credit hold. The order cannot be saved.")), REFUSED),
    (answer(body("You cannot retrieve an RMA from the Order Entry/Front Counter window.")), REFUSED),
    (answer(body("Unexpected response window: Order Entry. Window class: w_response_ok")), UNKNOWN),
    (answer({"ErrorMessage": "One or more errors", "InnerException": "Unexpected response window: x"}, 500), UNKNOWN),
    (answer(body("Object reference not set to an instance of an object.")), UNKNOWN),
    (answer({"title": "Bad Request", "status": 400}, 400), REFUSED),
    (answer(b"", 500), UNKNOWN),
    (answer(b"upstream timed out", 504), UNKNOWN),
    (answer(b"", 502), UNKNOWN),
    (answer(b"Service Unavailable", 503), UNKNOWN),
    # successes that are none
    (answer(success(Results=None)), UNKNOWN),
    (answer(success(Results=None, Transactions=[transaction()])), CREATED),
    (answer(success(Results={"Transactions": None}, Transactions=[transaction()])), CREATED),
    (answer(success(transaction({"Name": "order_no", "Value": " "}))), UNKNOWN),
    (answer(success(transaction({"Name": "order_no", "Value": None}))), UNKNOWN),
    (answer(success(transaction({"Name": "po_no", "Value": "X"}))), UNKNOWN),
    (answer(success(transaction(status="Failed"))), UNKNOWN),
    (answer(success(transaction(status=None))), UNKNOWN),
    (answer(success({"Status": "Passed", "DataElements": None})), UNKNOWN),
    (answer(success(succeeded=2)), UNKNOWN),
    (answer(success(other=1)), UNKNOWN),
    (answer(success(failed=1)), UNKNOWN),
    (answer(success(transaction(), transaction({"Name": "order_no", "Value": "1400216"}))), UNKNOWN),
    (answer(success(transaction({"Name": "order_no", "Value": 1400215}))), CREATED),
    (answer({"Results": success()["Results"], "Messages": None}), UNKNOWN),
    (answer(body(succeeded=0, failed=0)), UNKNOWN),
    (answer(body("no", other=1)), UNKNOWN),
    # failures that may not be one
    (answer({**body("Customer ID is required"), "Results": success()["Results"]}), UNKNOWN),
    (answer(body("Customer ID is required", "Unexpected response window: Yes?")), UNKNOWN),
    (answer(body("General Exception: something new")), UNKNOWN),
    (answer(body("Timeout expired. The timeout period elapsed")), UNKNOWN),
    (answer(body("Transaction was deadlocked on lock resources")), UNKNOWN),
    (answer(body()), REFUSED),
    # nothing was written, and it may pass
    (answer(body("Order 1400215 is open in another window and cannot be changed.")), BUSY),
    (answer(body("Customer 200003 is locked by user ANN.")), BUSY),
    (answer(body("Timed out waiting for a session")), BUSY),
    (answer({"ErrorMessage": "Unable to obtain a session from the pool within 60 seconds."}, 503), BUSY),
    (answer({"ErrorType": "P21.UI.Service.SessionPoolTimeoutException"}, 500), BUSY),
    (answer(b"", 429), BUSY),
    (answer(b"", 307), BUSY),
    (answer(b"<html>404</html>", 404), BUSY),
    (answer(b"", 405), BUSY),
    # what is no answer of P21's
    (answer(b""), UNKNOWN),
    (answer(b"<html><body>Maintenance</body></html>"), UNKNOWN),
    (answer(b"<TransactionResponse><Summary/></TransactionResponse>"), UNKNOWN),
    (answer(b'{"Summary":{"Succeeded":1,"Fai'), UNKNOWN),
    (answer(b"\xff\xfe\x00"), UNKNOWN),
    (answer(b"null"), UNKNOWN),
    (answer(b"[]"), UNKNOWN),
    (answer({"Summary": {"Succeeded": "many"}}), UNKNOWN),
    (answer(b"", 204), UNKNOWN),
    (answer(success(), 202), UNKNOWN),
    (answer(success(), 500), UNKNOWN),
    (answer(b"", 408), UNKNOWN),
    (answer(b"too large", 413), REFUSED),
    (answer(b"Unexpected response window: x", 400), UNKNOWN),
    (answer(b"", 999), UNKNOWN),
]


@pytest.mark.parametrize(("given", "verdict"), ANSWERS)
def test_the_table_of_answers(given, verdict):
    assert outcome_of(given).verdict is verdict


@pytest.mark.parametrize("given", [given for given, verdict in ANSWERS if verdict is not CREATED])
def test_only_a_created_order_has_a_number(given):
    assert outcome_of(given).order_no == ""


@pytest.mark.parametrize("given", [given for given, verdict in ANSWERS if verdict is not CREATED])
def test_whatever_is_not_created_says_what_to_do(given):
    assert outcome_of(given).hint


def test_the_number_is_that_of_the_header():
    other = {"Name": "TP_X.linked", "Rows": [{"Edits": [{"Name": "order_no", "Value": "9"}]}]}
    one = transaction()
    one["DataElements"].insert(0, other)
    assert outcome_of(answer(success(one))).order_no == "1400215"


def test_a_bom_does_not_hide_an_order():
    assert outcome_of(answer(b"\xef\xbb\xbf" + msgspec.json.encode(success()))).verdict is CREATED


def test_p21s_words_are_kept_without_its_numbering():
    outcome = outcome_of(answer(body("Customer ID is required", "Quantity is required")))
    assert outcome.words == "Customer ID is required; Quantity is required"


def test_no_answer_shows_a_whole_page():
    assert "<html" not in outcome_of(answer(b"<html>" + b"x" * 9000)).words


@pytest.mark.parametrize(
    "given",
    [
        answer(b"You are not authorized to access API. Please contact administrator to get access.", 401),
        answer(b"", 403),
        answer(body("You do not have permission to open the Order Entry window.")),
    ],
)
def test_a_missing_permission_is_named(given):
    with pytest.raises(Forbidden) as raised:
        outcome_of(given)
    assert "Order Entry" in raised.value.hint
    assert "/uiserver0" in raised.value.hint


def test_a_rule_about_a_price_is_no_missing_permission_of_the_account():
    assert outcome_of(answer(body("You do not have permission to override the price of VALVE-20"))).verdict is REFUSED


@pytest.mark.parametrize(
    ("error", "verdict"),
    [
        (NotSent("connection refused", system="Prophet 21"), BUSY),
        (RequestTimeout("no answer within 120 s", system="Prophet 21"), UNKNOWN),
        (Unavailable("ServerDisconnectedError", system="Prophet 21"), UNKNOWN),
    ],
)
def test_without_an_answer_only_what_was_never_sent_is_unwritten(error, verdict):
    assert outcome_without_answer(error).verdict is verdict
