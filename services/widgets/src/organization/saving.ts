import { Told } from "../account/language";
import { RequestFault } from "../site/http";
import type { OwnApi, Profile, Said } from "./own_api";
import { differing } from "./profile_draft";

/** Somebody else changed the profile since it was looked at; `now` is what stands there. */
export class SaidMeanwhile extends Told {
  constructor(
    readonly now: Profile,
    before: Profile,
  ) {
    super((t) => t.saidMeanwhile(differing(now.said, before.said).map((field) => t.profileFields[field]).join(", ")));
  }
}

/**
 * Saves what was decided upon `before`. A version differs too when a new picture is shown, which is no reason to ask anybody.
 * Throws RequestFault, and SaidMeanwhile where somebody said something else.
 */
export async function save(own: OwnApi, said: Said, before: Profile): Promise<Profile> {
  try {
    return await own.change(said, before.version);
  } catch (reason) {
    if (!(reason instanceof RequestFault) || reason.code !== "changed_meanwhile") throw reason;
  }
  const now = await own.profile();
  // One's own, which was saved while its answer was lost.
  if (differing(now.said, said).length === 0) return now;
  if (differing(now.said, before.said).length > 0) throw new SaidMeanwhile(now, before);
  return own.change(said, now.version);
}
