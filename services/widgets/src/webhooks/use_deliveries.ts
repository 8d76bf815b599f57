import { useState } from "preact/hooks";

import { useLookedAt } from "../organization/use_looked_at";
import { withNewest } from "./delivery_words";
import type { DeliveryPage, WebhooksApi } from "./webhooks_api";

/** What was sent to one endpoint, while somebody looks at it. */
export interface Deliveries {
  /** Null: nobody looks at it. */
  readonly page: DeliveryPage | null;
  /** Shows the newest, as they stand now. */
  readonly open: () => Promise<void>;
  readonly close: () => void;
  readonly older: () => Promise<void>;
}

/** What has been tried once at most is looked at anew: an attempt counts from its beginning, while no answer has come yet. */
export function useDeliveries(api: WebhooksApi, endpointId: string, isEnabled: boolean): Deliveries {
  const [page, setPage] = useState<DeliveryPage | null>(null);
  const underWay = (page?.deliveries ?? []).filter(({ state, attempts }) => state === "pending" && attempts <= 1);
  useLookedAt(isEnabled ? underWay.map(({ id }) => id).join() : "", async () => {
    const newest = await api.deliveries(endpointId, null);
    setPage((shown) => (shown === null ? null : withNewest(shown, newest)));
  });
  const older = async () => {
    const from = page?.next ?? null;
    const next = await api.deliveries(endpointId, from);
    // Asked for twice, it is shown once; and not at all where nobody looks any more.
    setPage((shown) =>
      shown?.next === from ? { ...next, deliveries: [...shown.deliveries, ...next.deliveries] } : shown,
    );
  };
  return {
    page,
    open: async () => setPage(await api.deliveries(endpointId, null)),
    close: () => setPage(null),
    older,
  };
}
