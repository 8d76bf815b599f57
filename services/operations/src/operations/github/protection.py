"""Checks GitHub's protection rules: `python -m operations.github.protection ENVIRONMENT`.

The roles in AWS trust a deployment environment by its name (ADR 0034). Who may use that name is set on GitHub, by hand, and
GitHub makes an environment that nobody set up by itself, without any protection, the first time a workflow names it. So
before each deployment and every night: production asks people, what may deploy or look around belongs to `main` alone,
`main` takes no change that fails a check or would lose data unseen, and tokens say the repository's numbers, as the roles ask.
Exit codes: 0 guarded, 1 not, 2 could not be asked.
"""

import sys
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Final

import click

from operations.github.api import PAGE, GitHubError, NotThereError, Repository, repository_of_the_job

BRANCH: Final = "main"
APPROVED: Final = frozenset({"production"})
"""Environments that no job enters before somebody agreed."""
ALONGSIDE: Final[Mapping[str, tuple[str, ...]]] = {
    "production": ("images",),
    "staging": ("staging-rehearse",),
}
"""Deployment environments that belong to one environment, beside its own and the night's."""
CHECKS: Final = ("check", "gates", "test")
"""Jobs of `pull-request.yml` that every change passes, beside `losses (ENV)`."""
SETTINGS: Final = "Settings, Environments"


def guarded(environment: str) -> tuple[str, ...]:
    """The deployment environments that must be set up for it; not `ENV-diff`, which any branch may use (ADR 0034)."""
    return (environment, f"{environment}-watch", *ALONGSIDE.get(environment, ()))


def unguarded(repository: Repository, environment: str) -> Iterator[str]:
    """Each thing that is not set as it must be, in a sentence that says what to do.

    Raises:
        GitHubError: GitHub gave no answer.
    """
    for name in guarded(environment):
        yield from _of_environment(repository, name, asks=name in APPROVED)
    yield from _of_branch(repository, (*CHECKS, f"losses ({environment})"))
    yield from _of_tokens(repository)


def _of_environment(repository: Repository, name: str, *, asks: bool) -> Iterator[str]:
    """https://docs.github.com/en/rest/deployments/environments"""
    where = f"/environments/{name}"
    try:
        found = repository.get(where)
    except NotThereError:
        yield f"There is no deployment environment {name}: create it in {SETTINGS}, limited to the branch {BRANCH}."
        return
    if asks:
        yield from _approval(name, found)
    policy = found.get("deployment_branch_policy")
    if not policy or not policy.get("custom_branch_policies"):
        which = "every protected branch" if policy else "every branch"
        yield (
            f"{name} may be used from {which}: choose 'Selected branches and tags' in {SETTINGS}, {name}, and name "
            f"{BRANCH} alone."
        )
        return
    allowed = repository.get(f"{where}/deployment-branch-policies", per_page=PAGE)
    if [(it["name"], it.get("type", "branch")) for it in allowed["branch_policies"]] != [(BRANCH, "branch")]:
        names = ", ".join(f"{it.get('type', 'branch')} {it['name']}" for it in allowed["branch_policies"])
        yield f"{name} may be used from {names or 'nowhere'}: name the branch {BRANCH} alone in {SETTINGS}, {name}."


def _approval(name: str, found: Mapping[str, Any]) -> Iterator[str]:
    reviewers = [
        reviewer
        for rule in found.get("protection_rules", [])
        if rule["type"] == "required_reviewers"
        for reviewer in rule.get("reviewers", [])
    ]
    if not reviewers:
        yield f"{name} asks nobody: name at least one required reviewer in {SETTINGS}, {name}."
    if found.get("can_admins_bypass") is not False:
        yield (
            f"Administrators may pass by the reviewers of {name}: clear 'Allow administrators to bypass configured "
            f"protection rules' in {SETTINGS}, {name}."
        )


def _of_branch(repository: Repository, checks: Sequence[str]) -> Iterator[str]:
    """https://docs.github.com/en/rest/repos/rules"""
    rules: Sequence[Mapping[str, Any]] = repository.get(f"/rules/branches/{BRANCH}", per_page=PAGE)
    required = {
        it["context"]
        for rule in rules
        if rule["type"] == "required_status_checks"
        for it in rule["parameters"]["required_status_checks"]
    }
    for check in checks:
        if check not in required:
            yield (
                f"{BRANCH} takes changes without the check '{check}': require it by a ruleset of the branch "
                "(Settings, Rules, Rulesets)."
            )


def _of_tokens(repository: Repository) -> Iterator[str]:
    """https://docs.github.com/en/rest/actions/oidc, "Get the customization template for an OIDC subject claim for a repository".

    An answer that does not say whether the numbers are in is no fault: then the roles themselves refuse, or not.
    """
    found = repository.get("/actions/oidc/customization/sub")
    if found.get("use_default") is False or found.get("use_immutable_subject") is False:
        yield (
            f"Tokens of {repository.name} have another subject than the roles trust: have GitHub's own with the "
            "repository's numbers, by step 2 of docs/runbooks/first-deployment.md."
        )


@click.command()
@click.argument("environment")
def cli(environment: str) -> None:
    """See whether GitHub guards ENVIRONMENT as it must."""
    try:
        with repository_of_the_job() as repository:
            found = list(unguarded(repository, environment))
    except GitHubError as error:
        click.echo(f"Not looked at: {error}", err=True)
        sys.exit(2)
    except (KeyError, TypeError, AttributeError) as error:
        click.echo(
            f"Not looked at: GitHub answers in a form this program does not know ({error!r}).", err=True
        )
        sys.exit(2)
    for sentence in found:
        click.echo(sentence)
    if not found:
        click.echo(f"{environment} is guarded as it must be.")
    sys.exit(1 if found else 0)


if __name__ == "__main__":
    cli()
