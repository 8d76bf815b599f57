"""`/v1/sources`, `/v1/datasets`, `/v1/ingest` and `/v1/jobs`: data ingestion.

Where no data is taken in, what is read is empty and says `degraded`, and what would change something is refused.
"""

from typing import Annotated, Any

from fastapi import APIRouter, Header, Query, Response

from amply.infra.conditional import ChangedMeanwhile, ChangeNotConditional, IfMatch, etag_of, require_match
from amply.infra.idempotency import IdempotencyKeyMissing, IdempotencyKeyReused
from amply.infra.keyset import CursorOf
from amply.infra.web import Identifier, responses
from amply.kernel.clock import iso
from amply.kernel.errors import AmplyError
from amply.kernel.pagination import PAGE_SIZE_MAX, CursorNotAcceptable
from amply.modules.access import PROBLEMS
from amply.modules.ingestion import datasets, domain, jobs, sources
from amply.modules.ingestion.schemas import (
    DatasetChange,
    DatasetIn,
    DatasetOut,
    DatasetPage,
    InitIn,
    JobBegun,
    JobOut,
    JobPage,
    Nothing,
    QuarantineLink,
    SourceIn,
    SourceOut,
    SourcePage,
    SubmitIn,
)
from amply.modules.ingestion.web import HandingIn, IntakeOf, Offered, Reading

router = APIRouter(prefix="/v1", tags=["Data"])

KeyHeader = Annotated[
    str | None,
    Header(alias="Idempotency-Key", description="Fresh for each file; 1 to 255 visible ASCII"),
]
Limit = Annotated[int, Query(ge=1, le=PAGE_SIZE_MAX)]


def _problems(*more: type[AmplyError]) -> dict[int | str, dict[str, Any]]:
    return responses(*PROBLEMS, *more)


def _refusals(*more: type[AmplyError]) -> dict[int | str, dict[str, Any]]:
    return _problems(domain.IntakeNotOffered, *more)


@router.get("/sources", summary="List sources", responses=_problems(CursorNotAcceptable))
def list_sources(access: Reading, offered: Offered, cursor: CursorOf = None, limit: Limit = 20) -> SourcePage:
    if offered is None:
        return SourcePage(data=[], has_more=False, next_cursor=None, degraded=True)
    with access.transaction() as session:
        page = sources.listed(session, access, cursor=cursor, limit=limit)
    return SourcePage(
        data=[SourceOut.of(each) for each in page.items],
        has_more=page.next_cursor is not None,
        next_cursor=page.next_cursor,
    )


@router.post(
    "/sources",
    status_code=201,
    summary="Add a source",
    responses=_refusals(domain.IntakeNotYet, domain.SourceNotAcceptable, domain.TooManySources),
)
def add_source(body: SourceIn, access: HandingIn, _: IntakeOf) -> SourceOut:
    """Again, it changes nothing: the source of this title is the answer."""
    with access.transaction() as session:
        return SourceOut.of(sources.add(session, access, title=body.title, description=body.description))


@router.get("/datasets", summary="List datasets", responses=_problems(CursorNotAcceptable))
def list_datasets(
    access: Reading, offered: Offered, cursor: CursorOf = None, limit: Limit = 20
) -> DatasetPage:
    if offered is None:
        return DatasetPage(data=[], has_more=False, next_cursor=None, degraded=True)
    with access.transaction() as session:
        page = datasets.listed(session, access, cursor=cursor, limit=limit)
    return DatasetPage(
        data=[DatasetOut.of(each) for each in page.items],
        has_more=page.next_cursor is not None,
        next_cursor=page.next_cursor,
    )


@router.post(
    "/datasets",
    status_code=201,
    summary="Add a dataset",
    responses=_refusals(
        domain.DatasetNotAcceptable,
        domain.SourceNotAcceptable,
        domain.SourceNotFound,
        domain.DatasetTaken,
        domain.IntakeNotYet,
        domain.TooManyDatasets,
    ),
)
def add_dataset(body: DatasetIn, access: HandingIn, _: IntakeOf) -> DatasetOut:
    """Again, it changes nothing: the dataset that was described so is the answer."""
    said = datasets.DatasetDefinition(
        source_id=body.source_id,
        title=body.title,
        kind=body.kind,
        format=body.format,
        compression=body.compression,
        columns=tuple(column.column() for column in body.columns),
        policy_id=body.pii_policy_id,
        retention_days=body.retention_days,
        release_every_days=body.release_every_days,
    )
    with access.transaction() as session:
        return DatasetOut.of(datasets.add(session, access, said=said))


@router.get(
    "/datasets/{dataset_id}",
    summary="Show a dataset",
    responses=_problems(domain.DatasetNotFound),
)
def show_dataset(
    dataset_id: Identifier, access: Reading, offered: Offered, response: Response
) -> DatasetOut | Nothing:
    if offered is None:
        return Nothing()
    with access.transaction() as session:
        shown = DatasetOut.of(datasets.find(session, access, dataset_id=dataset_id))
    response.headers["ETag"] = etag_of(shown)
    return shown


@router.patch(
    "/datasets/{dataset_id}",
    summary="Change a dataset",
    responses=_refusals(
        ChangeNotConditional,
        ChangedMeanwhile,
        domain.DatasetNotFound,
        domain.DatasetNotAcceptable,
        domain.SourceNotAcceptable,
        domain.DatasetTaken,
        domain.ColumnsAreFixed,
    ),
)
def change_dataset(
    dataset_id: Identifier,
    body: DatasetChange,
    access: HandingIn,
    _: IntakeOf,
    response: Response,
    if_match: IfMatch = None,
) -> DatasetOut:
    asked = datasets.Changes(
        title=body.title,
        columns=None if body.columns is None else tuple(column.column() for column in body.columns),
        retention_days=body.retention_days,
        release_every_days=body.release_every_days,
        is_open=None if body.state is None else body.state == "open",
    )
    with access.transaction() as session:
        before = datasets.find(session, access, dataset_id=dataset_id, to_change=True)
        require_match(if_match, DatasetOut.of(before))
        shown = DatasetOut.of(datasets.change(session, access, before, asked=asked))
    response.headers["ETag"] = etag_of(shown)
    return shown


_BEGINNING = (
    IdempotencyKeyMissing,
    IdempotencyKeyReused,
    domain.DatasetNotFound,
    domain.DatasetClosed,
    domain.IntakeNotYet,
    domain.TooManyJobs,
)


@router.post(
    "/ingest/init",
    status_code=201,
    summary="Make a place for a file",
    responses=_refusals(*_BEGINNING, domain.JobNotFound),
)
def init_upload(
    body: InitIn, access: HandingIn, intake: IntakeOf, idempotency_key: KeyHeader = None
) -> JobBegun:
    """Answers with a form that uploads one file of at most 64 MiB within ten minutes. Then submit it."""
    wanted = jobs.JobRequest(dataset_id=body.dataset_id, format=body.format, compression=body.compression)
    return JobBegun.handed(jobs.init(access, intake, key=idempotency_key, wanted=wanted))


@router.post(
    "/ingest/submit",
    status_code=202,
    summary="Hand a file in",
    responses=_refusals(*_BEGINNING, domain.JobNotFound, domain.NothingUploaded, domain.ContentNotAcceptable),
)
def submit_file(
    body: SubmitIn, access: HandingIn, intake: IntakeOf, idempotency_key: KeyHeader = None
) -> JobOut:
    """What was uploaded, by its `job_id`, which needs no key; or a dataset and at most a megabyte of content."""
    if body.job_id is not None and body.dataset_id is None and body.content is None:
        return JobOut.of(jobs.submit_uploaded(access, intake, job_id=body.job_id))
    if body.job_id is not None or body.dataset_id is None or body.content is None:
        raise domain.ContentNotAcceptable("Send either job_id, or dataset_id and content.", param="content")
    wanted = jobs.JobRequest(dataset_id=body.dataset_id, format=body.format, compression=body.compression)
    return JobOut.of(
        jobs.submit_content(
            access, intake, key=idempotency_key, wanted=wanted, content=body.content, encoding=body.encoding
        )
    )


@router.get("/jobs", summary="List jobs", responses=_problems(CursorNotAcceptable))
def list_jobs(
    access: Reading,
    offered: Offered,
    dataset_id: Annotated[Identifier | None, Query(description="Those of one dataset")] = None,
    cursor: CursorOf = None,
    limit: Limit = 20,
) -> JobPage:
    if offered is None:
        return JobPage(data=[], has_more=False, next_cursor=None, degraded=True)
    with access.transaction() as session:
        page = jobs.listed(session, access, dataset_id=dataset_id, cursor=cursor, limit=limit)
    return JobPage(
        data=[JobOut.of(each) for each in page.items],
        has_more=page.next_cursor is not None,
        next_cursor=page.next_cursor,
    )


@router.get("/jobs/{job_id}", summary="See how far a file is", responses=_problems(domain.JobNotFound))
def show_job(job_id: Identifier, access: Reading, offered: Offered) -> JobOut | Nothing:
    if offered is None:
        return Nothing()
    with access.transaction() as session:
        return JobOut.of(jobs.find(session, access, job_id=job_id))


@router.post(
    "/jobs/{job_id}/links",
    status_code=201,
    summary="Get the address of refused rows",
    responses=_refusals(domain.JobNotFound, domain.NoQuarantine),
)
def make_quarantine_link(job_id: Identifier, access: HandingIn, intake: IntakeOf) -> QuarantineLink:
    """Good for five minutes, for whoever has it: JSON lines, packed by gzip. That it was asked for is recorded."""
    linked = jobs.link(access, intake, job_id=job_id)
    return QuarantineLink(url=linked.url, filename=linked.filename, expires_at=iso(linked.expires_at))
