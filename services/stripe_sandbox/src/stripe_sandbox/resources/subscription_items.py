"""SubscriptionItems, read-only; they change with their subscription (https://docs.stripe.com/api/subscription_items)."""

from stripe_sandbox.errors import Json, NoSuchObjectError
from stripe_sandbox.lists import within
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape

_HAS = "EXISTS (SELECT 1 FROM json_each(body, '$.items.data') i WHERE json_extract(i.value, '$.id') = ?)"


def retrieve(call: Call) -> Json:
    """One item."""
    wanted = call.path["id"]
    for subscription in call.objects.page("subscription", clauses=[(_HAS, (wanted,))]).data:
        for item in subscription["items"]["data"]:
            if item["id"] == wanted:
                found: Json = item
                return found
    raise NoSuchObjectError("subscription_item", wanted)


def list_(call: Call) -> Json:
    """A subscription's items."""
    subscription = call.objects.get("subscription", call.params["subscription"], param="subscription")
    return within(call, subscription["items"]["data"], "/v1/subscription_items")


OPERATIONS = (
    Operation(
        method="GET",
        path="/v1/subscription_items",
        shape=shape(
            "_subscription_item_list_params:SubscriptionItemListParams",
            "ending_before expand limit starting_after subscription",
        ),
        handler=list_,
    ),
    Operation(
        method="GET",
        path="/v1/subscription_items/{id}",
        shape=shape("_subscription_item_retrieve_params:SubscriptionItemRetrieveParams", "expand"),
        handler=retrieve,
    ),
)
