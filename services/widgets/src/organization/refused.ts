import { useState } from "preact/hooks";

import { Told } from "../account/language";
import { RequestFault } from "../site/http";

/** Why fields of a form are not taken, by their names on the page: what the page itself says, or the API. */
export type FieldFaults = ReadonlyMap<string, unknown>;

/** Around a request, for a form that wants to know what was wrong with a field of it. */
export type Guard = <Answer>(work: () => Promise<Answer>) => Promise<Answer>;

export const freely: Guard = (work) => work();

/** Faults of a form's fields, those that the API finds included. `fieldOf`: the field that a problem is about, or null. */
export function useFieldFaults(fieldOf: (problem: RequestFault) => string | null, onFault: (name: string) => void) {
  const [faults, setFaults] = useState<FieldFaults>(new Map());
  const refuse = (found: FieldFaults) => {
    setFaults(found);
    const [first] = found.keys();
    if (first !== undefined) onFault(first);
  };
  const guard: Guard = async (work) => {
    try {
      return await work();
    } catch (reason) {
      const field = reason instanceof RequestFault ? fieldOf(reason) : null;
      if (field === null) throw reason;
      refuse(new Map([[field, reason]]));
      throw new Told((t) => t.notSavedYet);
    }
  };
  return { faults, refuse, guard };
}
