"""A SCIM client, as an organisation's directory would be."""

from typing import Any

from tests.backend.federation_world import DOMAIN, FederationWorld

USER = "urn:ietf:params:scim:schemas:core:2.0:User"
GROUP = "urn:ietf:params:scim:schemas:core:2.0:Group"
PATCH = "urn:ietf:params:scim:api:messages:2.0:PatchOp"


class Directory:
    """An organisation's directory, with a token of its own."""

    def __init__(self, river: FederationWorld) -> None:
        made = river.ask(river.owner, "POST", "/directory-tokens")
        assert made.status_code == 201, made.text
        self.river, self.token = river, made.json()
        self.client = river.people.browser().client
        self.headers = {"Authorization": f"Bearer {self.token['secret']}"}

    def ask(self, method: str, path: str, body: Any = None, **headers: str) -> Any:
        named = {name.replace("_", "-"): value for name, value in headers.items()}
        return self.client.request(
            method,
            f"/scim/v2{path}",
            json=body,
            headers={**self.headers, "Content-Type": "application/scim+json", **named},
        )

    def user(self, who: str, **more: Any) -> str:
        body = {"schemas": [USER], "userName": f"{who}@{DOMAIN}", "active": True, **more}
        made = self.ask("POST", "/Users", body)
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    def group(self, name: str, *user_ids: str) -> str:
        members = [{"value": each} for each in user_ids]
        made = self.ask("POST", "/Groups", {"schemas": [GROUP], "displayName": name, "members": members})
        assert made.status_code == 201, made.text
        return str(made.json()["id"])

    def patch(self, path: str, *operations: dict[str, Any], **headers: str) -> Any:
        return self.ask("PATCH", path, {"schemas": [PATCH], "Operations": list(operations)}, **headers)
