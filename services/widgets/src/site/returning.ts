import type { Organization } from "./api";

/**
 * Where the donor may be sent back to: the address that the link named, when its origin is one that the organisation has
 * allowed. Nobody is sent anywhere else in the organisation's name; whoever built the link reads why in the console.
 */
export function allowedReturn(asked: string | null, organization: Organization): URL | null {
  if (asked === null) return null;
  const url = parsed(asked);
  if (url === null || url.username !== "" || url.password !== "") {
    console.warn("amply: the return address is not a whole address like https://…/thanks; nobody is sent there.");
    return null;
  }
  if (!organization.returnOrigins.includes(url.origin)) {
    console.warn(
      `amply: the organisation has not allowed donors to be sent back to ${url.origin}; nobody is sent there.`,
    );
    return null;
  }
  return url;
}

/**
 * That address with what became of the gift: `amply_standing`, as the API's `standing` says it, or `none` without a gift;
 * and `amply_donation`, its id. Anybody can write these: who relies on them asks `GET /v1/donations/{id}`.
 */
export function returnHref(to: URL, standing: string, donationId: string | null): string {
  const url = new URL(to);
  url.searchParams.set("amply_standing", standing);
  if (donationId === null) url.searchParams.delete("amply_donation");
  else url.searchParams.set("amply_donation", donationId);
  return url.href;
}

function parsed(text: string): URL | null {
  try {
    return new URL(text);
  } catch {
    return null;
  }
}
