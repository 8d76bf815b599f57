import { useState } from "preact/hooks";

import { RequestFault } from "../site/http";
import type { AccountApi, Person } from "./account_api";

const UNAUTHORIZED = 401;

export interface Who {
  /** Null where nobody is signed in. */
  readonly person: Person | null;
  /** Whether it was looked at yet. */
  readonly isKnown: boolean;
  readonly failed: unknown;
  readonly look: () => Promise<void>;
}

/** Whoever is signed in here, as often as it is looked at. */
export function usePerson(api: AccountApi): Who {
  const [who, setWho] = useState<Omit<Who, "look">>({ person: null, isKnown: false, failed: null });
  const look = async () => {
    try {
      setWho({ person: await api.me(), isKnown: true, failed: null });
    } catch (reason) {
      const isNobody = reason instanceof RequestFault && reason.status === UNAUTHORIZED;
      setWho({ person: null, isKnown: true, failed: isNobody ? null : reason });
    }
  };
  return { ...who, look };
}
