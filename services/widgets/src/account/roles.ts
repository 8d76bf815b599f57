/** Roles that look after keys and the sign-in. Whoever forges one sees a page whose requests are refused. */
export const KEEPERS: readonly string[] = ["owner", "admin"];

/** Roles that see what becomes of data. */
export const SELLERS: readonly string[] = [...KEEPERS, "finance"];

/** Roles that look after what the organisation shows of itself. */
export const SHOWING: readonly string[] = [...KEEPERS, "content"];
