"""Handles every API request: authenticate, validate, check idempotency, execute, respond."""

from collections.abc import Mapping
from contextlib import nullcontext
from dataclasses import dataclass

from stripe_sandbox import idempotency
from stripe_sandbox.authentication import Caller, authenticate, require_secret
from stripe_sandbox.clock import Clock, unix
from stripe_sandbox.errors import Json, NotModelledError, ParameterError, StripeError
from stripe_sandbox.expansion import expand
from stripe_sandbox.faults import Faults
from stripe_sandbox.idempotency import Claim
from stripe_sandbox.later import do_due
from stripe_sandbox.objects import PLATFORM, Objects
from stripe_sandbox.operations import Call, Operation, api_version
from stripe_sandbox.resources import accounts
from stripe_sandbox.settings import Settings
from stripe_sandbox.store import Store, savepoint


@dataclass(frozen=True, kw_only=True)
class Request:
    """One HTTP request, decoded but unchecked. Header names in lower case."""

    headers: Mapping[str, str]
    path: str
    path_values: Mapping[str, str]
    params: Json
    request_id: str


@dataclass(frozen=True)
class Answer:
    """One HTTP response."""

    status: int
    body: Json
    headers: Mapping[str, str]


@dataclass(frozen=True, kw_only=True)
class Dispatcher:
    """Runs operations against the store."""

    store: Store
    settings: Settings
    clock: Clock
    faults: Faults

    def answer(self, operation: Operation, request: Request) -> Answer:
        """The answer to a request, errors included."""
        headers = {"Request-Id": request.request_id, "Stripe-Version": api_version()}
        key = request.headers.get("idempotency-key") if operation.method == "POST" else None
        if key:
            headers["Idempotency-Key"] = key
        try:
            caller, params = self._admit(operation, request)
            if key is None:
                status, body = self._once(operation, request, caller, params, claim=None)
                return Answer(status, body, headers)
            idempotency.check_key(key)
            scope = f"{operation.version} {_account(request)}"
            claim = Claim(scope, key, request.request_id)
            return self._under_key(operation, request, caller, params, claim, headers)
        except StripeError as error:
            return Answer(error.status, error.body(), headers | _advice(error))

    def _admit(self, operation: Operation, request: Request) -> tuple[Caller, Json]:
        params = dict(request.params)
        caller = authenticate(request.headers, params.pop("key", None), self.settings)
        _check_version(operation, request.headers.get("stripe-version"))
        shape = operation.shape
        if not caller.secret:
            if operation.client_shape is None:
                require_secret(caller)
            else:
                shape = operation.client_shape
        form = operation.version == "v1" or operation.method == "GET"
        return caller, shape.check(params, form=form)

    def _under_key(
        self,
        operation: Operation,
        request: Request,
        caller: Caller,
        params: Json,
        claim: Claim,
        headers: dict[str, str],
    ) -> Answer:
        print_ = idempotency.fingerprint(operation.method, request.path, params)
        with self.store.transaction() as connection:
            stored = idempotency.begin(connection, claim, print_, unix(self.clock()))
        if stored is not None:
            replay = {"Idempotent-Replayed": "true", "Original-Request": stored.request_id}
            return Answer(stored.status, stored.body, headers | replay)
        try:
            status, body = self._once(operation, request, caller, params, claim=claim)
        except BaseException:
            # Nothing of the request was kept, so its key is free again.
            with self.store.transaction() as connection:
                idempotency.forget(connection, claim)
            raise
        return Answer(status, body, headers)

    def _once(
        self, operation: Operation, request: Request, caller: Caller, params: Json, *, claim: Claim | None
    ) -> tuple[int, Json]:
        """Do the work in one transaction with its stored answer. Raises StripeError when nothing is to be kept."""
        fault = self.faults.before(operation.method, request.path)
        with self.store.transaction() as connection:
            call = self._call(
                Objects(connection, _account(request), unix(self.clock())), request, caller, params
            )
            if call.objects.account != PLATFORM:
                accounts.require_exists(call.objects, call.objects.account)
            try:
                status, body = self._run(operation, call)
            except StripeError as error:
                if not error.saved and not error.keeps_changes:
                    raise
                status, body = error.status, error.body()
            do_due(call, moment=self.clock().timestamp())
            if claim is not None and (operation.version == "v1" or status < 400):  # noqa: PLR2004  # v2 runs failed work again
                idempotency.finish(connection, claim, status, body)
            elif claim is not None:
                idempotency.forget(connection, claim)
        self.faults.after(fault)
        return status, body

    def _run(self, operation: Operation, call: Call) -> tuple[int, Json]:
        inner = savepoint(call.objects.connection) if operation.method == "POST" else nullcontext()
        kept: StripeError | None = None
        with inner:
            try:
                body = operation.handler(call)
            except StripeError as error:
                if not error.keeps_changes:
                    raise
                kept = error
                body = {}
        if kept is not None:
            return kept.status, kept.body()
        return 200, expand(call.objects, body, call.params.get("expand", []))

    def _call(self, objects: Objects, request: Request, caller: Caller, params: Json) -> Call:
        return Call(
            objects=objects,
            params=params,
            path=request.path_values,
            caller=caller,
            settings=self.settings,
            request_id=request.request_id,
            idempotency_key=request.headers.get("idempotency-key"),
        )


def _account(request: Request) -> str:
    # What the SDK fetches for a thin event names the account in the newer header.
    return request.headers.get("stripe-account") or request.headers.get("stripe-context") or PLATFORM


def _check_version(operation: Operation, asked: str | None) -> None:
    if asked is None and operation.version == "v2":
        raise ParameterError("API version is required for v2 requests: send a Stripe-Version header.")
    if asked is not None and asked != api_version():
        raise ParameterError(f"Invalid Stripe API version: {asked}. This sandbox speaks {api_version()}.")


def _advice(error: StripeError) -> dict[str, str]:
    """The SDK repeats server errors; what the sandbox cannot do it will not be able to do later either."""
    return {"Stripe-Should-Retry": "false"} if isinstance(error, NotModelledError) else {}
