"""Compares two OpenAPI documents operation by operation, and describes each difference."""

from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

from operations.api_changes.schemas import Change, Pair, SchemaUse

_CODES: Final = "x-problem-codes"
_ERROR: Final = 400

Document = Mapping[str, Any]
Operation = Mapping[str, Any]


def changes(before: Document, after: Document) -> list[Change]:
    """Every difference that a caller could notice, what breaks first."""
    old, new = _operations(before), _operations(after)
    found = [
        *(_told(name, "is gone", breaks=True) for name in old.keys() - new.keys()),
        *(_told(name, "is new", breaks=False) for name in new.keys() - old.keys()),
    ]
    for name in old.keys() & new.keys():
        found += _of_operation(name, old[name], new[name], (before, after))
    return sorted(set(found), key=lambda each: (not each.is_breaking, each.operation, each.what))


def report(found: Sequence[Change], on_purpose: Mapping[str, str]) -> str:
    """The changes as Markdown."""
    lines = ["# Changes of the API since its last released document", ""]
    for title, breaking in (("Breaks callers", True), ("Breaks nobody", False)):
        chosen = [each for each in found if each.is_breaking is breaking]
        if chosen:
            lines += [f"## {title}", "", *(_line(each, on_purpose) for each in chosen), ""]
    if not found:
        lines += ["None.", ""]
    return "\n".join(lines)


def _line(change: Change, on_purpose: Mapping[str, str]) -> str:
    reason = on_purpose.get(change.line)
    return f"- `{change.operation}`: {change.what}" + (f" (on purpose: {reason})" if reason else "")


def _operations(document: Document) -> dict[str, Operation]:
    """By method and path: what callers write."""
    return {
        f"{method.upper()} {path}": operation
        for path, methods in document["paths"].items()
        for method, operation in methods.items()
    }


def _told(operation: str, what: str, *, breaks: bool) -> Change:
    return Change(is_breaking=breaks, operation=operation, what=what)


def _of_operation(
    name: str, old: Operation, new: Operation, roots: tuple[Document, Document]
) -> Iterator[Change]:
    if old["operationId"] != new["operationId"]:
        yield _told(name, f"is called {new['operationId']}, no longer {old['operationId']}", breaks=True)
    if new.get("deprecated") and not old.get("deprecated"):
        yield _told(name, "is deprecated", breaks=False)
    yield from _parameters(name, old, new, roots)
    yield from _bodies(name, old, new, roots)
    yield from _answers(name, old, new, roots)


def _parameters(
    name: str, old: Operation, new: Operation, roots: tuple[Document, Document]
) -> Iterator[Change]:
    before, after = _parameters_of(old), _parameters_of(new)
    for each in before.keys() - after.keys():
        yield _told(name, f"takes no {each} any more", breaks=True)
    for each in after.keys() - before.keys():
        needed = after[each].get("required", False)
        yield _told(name, f"{'needs' if needed else 'takes'} {each}", breaks=needed)
    for each in before.keys() & after.keys():
        if after[each].get("required") and not before[each].get("required"):
            yield _told(name, f"needs {each}", breaks=True)
        yield from Pair(
            before=before[each]["schema"],
            after=after[each]["schema"],
            roots=roots,
            way=SchemaUse.REQUEST,
            operation=name,
            where=each,
        ).changes()


def _parameters_of(operation: Operation) -> dict[str, Mapping[str, Any]]:
    return {f"{each['in']} {each['name']}": each for each in operation.get("parameters", ())}


def _bodies(name: str, old: Operation, new: Operation, roots: tuple[Document, Document]) -> Iterator[Change]:
    before, after = old.get("requestBody", {}), new.get("requestBody", {})
    if after.get("required") and not before.get("required"):
        yield _told(name, "needs a body", breaks=True)
    yield from _contents(name, before, after, roots, way=SchemaUse.REQUEST, where="body")


def _answers(name: str, old: Operation, new: Operation, roots: tuple[Document, Document]) -> Iterator[Change]:
    before, after = old["responses"], new["responses"]
    for status in sorted(before.keys() | after.keys()):
        was, now = before.get(status, {}), after.get(status, {})
        if int(status) >= _ERROR:
            for code in sorted(set(was.get(_CODES, ())) ^ set(now.get(_CODES, ()))):
                verb = "may answer" if code in now.get(_CODES, ()) else "no longer answers"
                yield _told(name, f"{verb} {status} {code}", breaks=False)
        elif not now:
            yield _told(name, f"no longer answers {status}", breaks=True)
        elif not was:
            yield _told(name, f"may answer {status}", breaks=False)
        else:
            yield from _contents(name, was, now, roots, way=SchemaUse.ANSWER, where=f"answer {status}")


def _contents(
    name: str,
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    roots: tuple[Document, Document],
    *,
    way: SchemaUse,
    where: str,
) -> Iterator[Change]:
    before, after = old.get("content", {}), new.get("content", {})
    for media in before.keys() - after.keys():
        yield _told(name, f"{where} is no longer {media}", breaks=True)
    for media in after.keys() - before.keys():
        yield _told(name, f"{where} may be {media}", breaks=False)
    for media in before.keys() & after.keys():
        yield from Pair(
            before=before[media].get("schema", {}),
            after=after[media].get("schema", {}),
            roots=roots,
            way=way,
            operation=name,
            where=where,
        ).changes()
