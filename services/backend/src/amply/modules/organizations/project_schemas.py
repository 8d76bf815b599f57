"""API schemas of projects."""

from typing import Annotated

from pydantic import BaseModel, Field

from amply.modules.organizations.projects import Project, ProjectState
from amply.modules.organizations.schemas import ProfileTextIn, ProfileTextOut, PublicFund, Request


class Goal(BaseModel):
    """What it is to come to, in minor units of a currency."""

    minor_units: str
    currency: str


class PublicProject(BaseModel):
    """Something an organisation collects for. Gifts are given through its fund, whose ledger account says what came."""

    id: str
    name: str
    state: str = Field(description="`planned`, `active`, `completed` or `given_up`.")
    goal: Goal
    fund: PublicFund
    texts: dict[str, ProfileTextOut] = Field(description="By language, such as `en`; there may be none.")

    @classmethod
    def of(cls, project: Project) -> "PublicProject":
        """The public view of `project`."""
        return cls(
            id=project.id,
            name=project.fund.name,
            state=project.state,
            goal=Goal(minor_units=str(project.goal.minor_units), currency=project.goal.currency),
            fund=PublicFund.of(project.fund),
            texts={
                language: ProfileTextOut(tagline=said.tagline, about=said.about)
                for language, said in project.texts.items()
            },
        )


class PublicProjects(BaseModel):
    """All projects of an organisation, the oldest first; there are 200 at most."""

    data: list[PublicProject]


class GoalIn(Request):
    """What it is to come to, in minor units of a currency."""

    minor_units: Annotated[str, Field(pattern="^[1-9][0-9]{0,14}$")]
    currency: Annotated[str, Field(min_length=3, max_length=3)]


Texts = Annotated[
    dict[Annotated[str, Field(pattern="^[a-z]{2}$")], ProfileTextIn],
    Field(max_length=20, description="By language, ISO 639-1."),
]


class ProjectIn(Request):
    """A project to create."""

    name: Annotated[str, Field(max_length=200, description="As donors read it; also its fund's.")]
    goal: GoalIn
    texts: Texts = Field(default_factory=dict)


class ProjectChange(Request):
    """What is to be changed; what is left out, or null, stays."""

    name: Annotated[
        str | None,
        Field(
            max_length=200,
            description="Also its fund's. Once somebody has given for it, it keeps the one it has.",
        ),
    ] = None
    goal: GoalIn | None = None
    state: ProjectState | None = None
    texts: Texts | None = None
