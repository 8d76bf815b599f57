"""Products: what a price is for (https://docs.stripe.com/api/products)."""

from stripe_sandbox.errors import InvalidRequestError, Json, ParameterError
from stripe_sandbox.ids import new_id
from stripe_sandbox.lists import LIST_PARAMETERS, Clause, listed
from stripe_sandbox.metadata import check_metadata, merged
from stripe_sandbox.operations import Call, Operation
from stripe_sandbox.parameters import shape

KIND = "product"
_PLAIN = ("description", "statement_descriptor", "unit_label", "url")


def create(call: Call) -> Json:
    """A new product."""
    return add(call, call.params)


def add(call: Call, given: Json) -> Json:
    """A product of these parameters, stored and told of. Raises ParameterError."""
    check_metadata(given.get("metadata", {}))
    product_id = given.get("id") or new_id("prod")
    if call.objects.find(KIND, product_id) is not None:
        raise ParameterError("Product already exists.", code="resource_already_exists", param="id")
    product: Json = {name: given.get(name) for name in _PLAIN} | {
        "id": product_id,
        "object": KIND,
        "active": given.get("active", True),
        "created": call.now,
        "default_price": None,
        "images": given.get("images", []),
        "livemode": False,
        "marketing_features": [],
        "metadata": merged({}, given.get("metadata", {})),
        "name": given["name"],
        "package_dimensions": None,
        "shippable": None,
        "tax_code": None,
        "type": "service",
        "updated": call.now,
    }
    call.objects.add(product)
    call.emit("product.created", product)
    return product


def retrieve(call: Call) -> Json:
    """One product."""
    return call.objects.get(KIND, call.path["id"])


def update(call: Call) -> Json:
    """Change a product."""
    params = call.params
    check_metadata(params.get("metadata", {}))
    product = call.objects.get(KIND, call.path["id"])
    changed: Json = {name: params[name] or None for name in _PLAIN if name in params}
    changed |= {name: params[name] for name in ("active", "name") if name in params}
    if "images" in params:
        changed["images"] = params["images"] or []
    if "metadata" in params:
        changed["metadata"] = merged(product["metadata"], params["metadata"])
    if "default_price" in params:
        price = call.objects.get("price", params["default_price"], param="default_price")
        if price["product"] != product["id"]:
            raise ParameterError("The price does not belong to this product.", param="default_price")
        changed["default_price"] = price["id"]
    previous = {name: product[name] for name in changed if product[name] != changed[name]}
    product |= changed | {"updated": call.now}
    call.objects.save(product)
    call.emit("product.updated", product, previous=previous)
    return product


def delete(call: Call) -> Json:
    """Forget a product that has no prices."""
    product = call.objects.get(KIND, call.path["id"])
    if call.objects.where("price", {"product": product["id"]}):
        raise InvalidRequestError(
            "This product cannot be deleted because it has one or more user-created prices."
        )
    call.emit("product.deleted", product)
    call.objects.remove(product)
    return {"id": product["id"], "object": KIND, "deleted": True}


def list_(call: Call) -> Json:
    """Products, newest first, by id, or whether they are active."""
    more: list[Clause] = []
    if "ids" in call.params:
        marks = ", ".join("?" * len(call.params["ids"]))
        more.append((f"id IN ({marks})", tuple(call.params["ids"])))
    return listed(call, KIND, "/v1/products", filters={"active": "active", "url": "url"}, more=more)


_KNOWN = "active description images metadata name statement_descriptor unit_label url expand"
OPERATIONS = (
    Operation(
        method="POST",
        path="/v1/products",
        shape=shape("_product_create_params:ProductCreateParams", f"{_KNOWN} id"),
        handler=create,
    ),
    Operation(
        method="GET",
        path="/v1/products",
        shape=shape("_product_list_params:ProductListParams", f"{LIST_PARAMETERS} active ids url"),
        handler=list_,
    ),
    Operation(
        method="GET",
        path="/v1/products/{id}",
        shape=shape("_product_retrieve_params:ProductRetrieveParams", "expand"),
        handler=retrieve,
    ),
    Operation(
        method="POST",
        path="/v1/products/{id}",
        shape=shape("_product_update_params:ProductUpdateParams", f"{_KNOWN} default_price"),
        handler=update,
    ),
    Operation(
        method="DELETE",
        path="/v1/products/{id}",
        shape=shape("_product_delete_params:ProductDeleteParams"),
        handler=delete,
    ),
)
