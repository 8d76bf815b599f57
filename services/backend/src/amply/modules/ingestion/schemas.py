"""API schemas of sources, datasets and jobs."""

from typing import Annotated, Any, Final, Literal

from pydantic import BaseModel, ConfigDict, Field, StrictBool, StrictInt, StrictStr

from amply.infra.web import Identifier
from amply.kernel.clock import iso, iso_or_none
from amply.modules.ingestion.columns import (
    COLUMNS_MAX,
    NAME,
    ONE_OF_MAX,
    STEPS_MAX,
    Column,
    ColumnRole,
    ColumnType,
)
from amply.modules.ingestion.datasets import Dataset
from amply.modules.ingestion.domain import (
    INLINE_BYTES_MAX,
    RELEASE_EVERY_DAYS,
    RELEASE_EVERY_DAYS_MAX,
    RETENTION_DAYS,
    RETENTION_DAYS_MAX,
    TITLE_LENGTH_MAX,
    Compression,
    DatasetClass,
    FileFormat,
    FileReason,
    JobState,
    PolicyId,
)
from amply.modules.ingestion.jobs import Job, JobWithUpload
from amply.modules.ingestion.sources import Source

_MOST: Final = 2**53 - 1
_DESCRIPTION_LENGTH_MAX: Final = 500

Title = Annotated[StrictStr, Field(min_length=1, max_length=TITLE_LENGTH_MAX)]
Whole = Annotated[StrictInt, Field(ge=-_MOST, le=_MOST)]


class _RequestBody(BaseModel):
    model_config = ConfigDict(extra="forbid", frozen=True)


class Nothing(BaseModel):
    """What is read where no data is taken in."""

    degraded: Literal[True] = True
    data: Annotated[list[Any], Field(max_length=0)] = []


class SourceIn(_RequestBody):
    """Where data comes from: a till, a website, a program."""

    title: Title
    description: Annotated[StrictStr, Field(max_length=_DESCRIPTION_LENGTH_MAX)] = ""


class SourceOut(BaseModel):
    """A source."""

    id: str
    title: str
    description: str
    created_at: str

    @classmethod
    def of(cls, source: Source) -> "SourceOut":
        """How it is shown."""
        return cls(
            id=source.id,
            title=source.title,
            description=source.description,
            created_at=iso(source.created_at),
        )


class ColumnModel(_RequestBody):
    """One column, and what it says of people."""

    name: Annotated[StrictStr, Field(pattern=NAME)]
    type: ColumnType
    role: ColumnRole
    required: StrictBool = False
    least: Whole | None = None
    most: Whole | None = None
    one_of: Annotated[
        list[Annotated[StrictStr, Field(min_length=1, max_length=200)]], Field(max_length=ONE_OF_MAX)
    ] = []
    generalise: Annotated[
        dict[str, Any] | None,
        Field(max_length=4, description="Of a quasi-identifier: how it becomes coarser, as in a policy."),
    ] = None
    bands: Annotated[list[Whole], Field(max_length=STEPS_MAX)] = []
    publish_as: Annotated[StrictStr, Field(pattern=NAME)] | None = None

    def column(self) -> Column:
        """As it is kept."""
        said = self.model_dump()
        return Column(**{**said, "one_of": tuple(self.one_of), "bands": tuple(self.bands)})

    @classmethod
    def of(cls, column: Column) -> "ColumnModel":
        """How it is shown."""
        return cls.model_validate(
            {**vars(column), "one_of": list(column.one_of), "bands": list(column.bands)}
        )


Columns = Annotated[list[ColumnModel], Field(min_length=1, max_length=COLUMNS_MAX)]
RetentionDays = Annotated[
    StrictInt,
    Field(
        ge=1,
        le=RETENTION_DAYS_MAX,
        description="How long releases of it are kept; files as they came: 90 days.",
    ),
]
ReleaseEveryDays = Annotated[StrictInt, Field(ge=1, le=RELEASE_EVERY_DAYS_MAX)]


class DatasetIn(_RequestBody):
    """A dataset: what its files are, and what stands in their columns."""

    source_id: Identifier
    title: Title
    kind: Annotated[DatasetClass, Field(alias="class")]
    format: FileFormat = FileFormat.JSONL
    compression: Compression = Compression.NONE
    columns: Columns
    pii_policy_id: PolicyId = PolicyId.DEFAULT
    retention_days: RetentionDays = RETENTION_DAYS
    release_every_days: ReleaseEveryDays = RELEASE_EVERY_DAYS


class DatasetChange(_RequestBody):
    """What is to change; the rest stays. Names and types of columns stay once something was handed in."""

    title: Title | None = None
    columns: Columns | None = None
    retention_days: RetentionDays | None = None
    release_every_days: ReleaseEveryDays | None = None
    state: Literal["open", "closed"] | None = None


class DatasetOut(BaseModel):
    """A dataset. Its `ETag` is what a change names as `If-Match`."""

    model_config = ConfigDict(populate_by_name=True)

    id: str
    source_id: str
    title: str
    kind: DatasetClass = Field(alias="class")
    format: FileFormat
    compression: Compression
    columns: list[ColumnModel]
    schema_version: int
    pii_policy_id: PolicyId
    retention_days: int
    release_every_days: int
    state: Literal["open", "closed"]
    created_at: str
    changed_at: str

    @classmethod
    def of(cls, dataset: Dataset) -> "DatasetOut":
        """How it is shown."""
        said = dataset.said
        return cls(
            id=dataset.id,
            source_id=said.source_id,
            title=said.title,
            kind=said.kind,
            format=said.format,
            compression=said.compression,
            columns=[ColumnModel.of(column) for column in said.columns],
            schema_version=dataset.schema_version,
            pii_policy_id=said.policy_id,
            retention_days=said.retention_days,
            release_every_days=said.release_every_days,
            state="open" if dataset.is_open else "closed",
            created_at=iso(dataset.created_at),
            changed_at=iso(dataset.changed_at),
        )


class InitIn(_RequestBody):
    """A file that is to be uploaded. Format and compression are the dataset's where nothing is said."""

    dataset_id: Identifier
    format: FileFormat | None = None
    compression: Compression | None = None


class SubmitIn(_RequestBody):
    """Either `job_id`, of a file that was uploaded; or a dataset, and the content itself."""

    job_id: Identifier | None = None
    dataset_id: Identifier | None = None
    format: FileFormat | None = None
    compression: Compression | None = None
    content: Annotated[StrictStr, Field(max_length=2 * INLINE_BYTES_MAX)] | None = None
    encoding: Annotated[
        Literal["text", "base64"], Field(description="`base64` for Parquet and for what is packed.")
    ] = "text"


class UploadForm(BaseModel):
    """Post these fields, and the file as the last one, called `file`."""

    url: str
    fields: dict[str, str]
    expires_at: str


class JobOut(BaseModel):
    """How far a file is."""

    id: str
    dataset_id: str
    schema_version: int
    format: FileFormat
    compression: Compression
    state: JobState
    rows_read: int | None = Field(description="Accepted and quarantined together.")
    rows_accepted: int | None
    rows_quarantined: int | None
    reasons: dict[str, int] = Field(description="Why rows are in quarantine, and how many of each.")
    refused: FileReason | None = Field(description="Why nothing of the file was accepted.")
    has_quarantine: bool = Field(description="Whether there is a file of refused rows to ask a link for.")
    created_at: str
    finished_at: str | None

    @classmethod
    def of(cls, job: Job) -> "JobOut":
        """How it is shown."""
        return cls(
            id=job.id,
            dataset_id=job.dataset_id,
            schema_version=job.schema_version,
            format=job.format,
            compression=job.compression,
            state=job.state,
            rows_read=job.rows_read,
            rows_accepted=job.rows_accepted,
            rows_quarantined=job.rows_quarantined,
            reasons=dict(job.reasons),
            refused=job.refused,
            has_quarantine=job.has_quarantine,
            created_at=iso(job.created_at),
            finished_at=iso_or_none(job.finished_at),
        )


class JobBegun(JobOut):
    """A job, and the form that uploads its file; null once that is over."""

    upload: UploadForm | None

    @classmethod
    def handed(cls, handed: JobWithUpload) -> "JobBegun":
        """How it is shown to whoever begins it."""
        upload = handed.upload and UploadForm(
            url=handed.upload.url, fields=dict(handed.upload.fields), expires_at=iso(handed.job.expires_at)
        )
        return cls(**JobOut.of(handed.job).model_dump(), upload=upload)


class QuarantineLink(BaseModel):
    """Where refused rows are fetched from. Whoever has the address can fetch them."""

    url: str
    filename: str
    expires_at: str = Field(description="When the address is good no more: minutes.")


class SourcePage(BaseModel):
    """A page of sources, the newest first."""

    data: list[SourceOut]
    has_more: bool
    next_cursor: str | None
    degraded: bool = Field(default=False, description="No data is taken in here: nothing is listed.")


class DatasetPage(BaseModel):
    """A page of datasets, the newest first."""

    data: list[DatasetOut]
    has_more: bool
    next_cursor: str | None
    degraded: bool = Field(default=False, description="No data is taken in here: nothing is listed.")


class JobPage(BaseModel):
    """A page of jobs, the newest first."""

    data: list[JobOut]
    has_more: bool
    next_cursor: str | None
    degraded: bool = Field(default=False, description="No data is taken in here: nothing is listed.")
