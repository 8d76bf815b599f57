import { Told, type Words } from "../account/language";
import type { FieldFaults } from "../organization/refused";
import { lineOf, nameIn } from "../organization/texts_draft";
import type { RequestFault } from "../site/http";
import { type EndpointSaid, EVENT_TYPES } from "./webhooks_api";

const FIELDS = ["url", "description", "eventTypes"] as const;

/** The types that a form offers: all that the page knows, and whatever else the endpoint is sent already. */
export function offeredTypes(said: EndpointSaid | null): readonly string[] {
  return [...new Set<string>([...EVENT_TYPES, ...(said?.eventTypes ?? [])])];
}

/** What stands in the form, or what is wrong with it, by field. `prefix`: of its fields' names, since several may be open. */
export function endpointIn(form: FormData, prefix: string): EndpointSaid | { readonly faults: FieldFaults } {
  const url = lineOf(form, `${prefix}url`);
  const eventTypes = form.getAll(`${prefix}event-type`).map(String);
  const faults = new Map<string, Told>();
  if (url === "") faults.set(`${prefix}url`, new Told((t) => t.endpointUrlMissing));
  if (eventTypes.length === 0) faults.set(`${prefix}event-type`, new Told((t) => t.noEventType));
  if (faults.size > 0) return { faults };
  return { url, description: nameIn(form, `${prefix}description`), eventTypes };
}

/** The field that a problem of the API is about, without the prefix; or null. */
export function endpointFieldOf({ code, param }: Pick<RequestFault, "code" | "param">): string | null {
  if (code === "endpoint_taken") return "url";
  const field = /(?:^|\.)(url|description|event_types)\b/.exec(param)?.[1];
  return field === undefined ? null : field.replace("event_types", "event-type");
}

/** What of an endpoint two people have said differently. */
export function differingEndpoint(one: EndpointSaid, other: EndpointSaid): readonly Words[] {
  return FIELDS.filter((field) => written(one[field]) !== written(other[field])).map(
    (field) => (t) => t.endpointFields[field],
  );
}

function written(said: string | readonly string[]): string {
  return typeof said === "string" ? said : [...said].sort().join(" ");
}
