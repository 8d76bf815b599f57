/** Roles that look after keys, webhook endpoints and the sign-in. Whoever forges one sees a page whose requests are refused. */
export const KEEPERS: readonly string[] = ["owner", "admin"];

/** Roles that see what becomes of data. */
export const SELLERS: readonly string[] = [...KEEPERS, "finance"];

/** Roles that say how the organisation issues receipts. */
export const RECEIPTING: readonly string[] = [...KEEPERS, "finance"];

/** Roles that see gifts and may give them back. */
export const REFUNDING: readonly string[] = [...KEEPERS, "finance"];

/** Roles that look after what the organisation shows of itself. */
export const SHOWING: readonly string[] = [...KEEPERS, "content"];

/** Roles that have something to do on the organisation's own page. */
export const AT_HOME: readonly string[] = [...SHOWING, "finance"];
