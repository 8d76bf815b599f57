"""An IAM role for GitHub Actions jobs of one repository, pinned to one deployment environment."""

from dataclasses import dataclass

from aws_cdk import Duration
from aws_cdk import aws_iam as iam
from constructs import Construct

ISSUER = "token.actions.githubusercontent.com"
AUDIENCE = "sts.amazonaws.com"


@dataclass(frozen=True, kw_only=True)
class GitHubRepository:
    """A repository by name and numeric id: a name can be taken over by somebody else, an id cannot.

    The tokens of repositories made, renamed or moved since 15 July 2026 carry both; an older one has to choose them
    (docs.github.com/en/actions/reference/security/oidc#immutable-subject-claims), and until then no role trusts its tokens.
    The numbers stand in `gh api repos/OWNER/NAME --jq '.owner.id, .id'`.
    """

    owner: str
    owner_id: int
    name: str
    repository_id: int

    def __post_init__(self) -> None:
        for part in (self.owner, self.name):
            if not part or set(part) & set("/@:*? "):
                raise ValueError(f"A repository is named by one owner and one name, not by {part!r}.")
        if min(self.owner_id, self.repository_id) < 1:
            raise ValueError(f"{self.owner}/{self.name}: GitHub's numbers start at 1.")

    def subject(self, environment: str) -> str:
        """The token's subject for jobs in this deployment environment."""
        if not environment or set(environment) & set(":*? "):
            raise ValueError(f"A deployment environment is one word, not {environment!r}.")
        owner, name = f"{self.owner}@{self.owner_id}", f"{self.name}@{self.repository_id}"
        return f"repo:{owner}/{name}:environment:{environment}"


class GitHubRole(iam.Role):
    """Audience and subject must match exactly. `name` is a contract with the workflows."""

    def __init__(
        self,
        scope: Construct,
        construct_id: str,
        *,
        name: str,
        repository: GitHubRepository,
        environment: str,
        account: str,
        longest_session: Duration,
    ) -> None:
        # By its ARN, which follows from the issuer: every stack of the account may have such a role.
        provider = f"arn:aws:iam::{account}:oidc-provider/{ISSUER}"
        super().__init__(
            scope,
            construct_id,
            role_name=name,
            assumed_by=iam.WebIdentityPrincipal(
                provider,
                {
                    "StringEquals": {
                        f"{ISSUER}:aud": AUDIENCE,
                        f"{ISSUER}:sub": repository.subject(environment),
                    }
                },
            ),
            max_session_duration=longest_session,
        )
