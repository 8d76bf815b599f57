import { Told, type Words } from "../account/language";
import { RequestFault } from "../site/http";

/** Something that several people may change. */
export interface Seen<Said> {
  readonly said: Said;
  /** What a change of it is decided upon. */
  readonly version: string;
}

/** How such a thing is kept. Its requests throw RequestFault. */
export interface Keeping<Said, Of extends Seen<Said>> {
  readonly look: () => Promise<Of>;
  readonly change: (said: Said, version: string) => Promise<Of>;
  /** What two people have said differently, in the page's words. */
  readonly differing: (one: Said, other: Said) => readonly Words[];
}

/** Somebody else changed it since it was looked at; `now` is what stands there. */
export class SaidMeanwhile<Of> extends Told {
  constructor(
    readonly now: Of,
    fields: readonly Words[],
  ) {
    super((t) => t.saidMeanwhile(fields.map((field) => field(t)).join(", ")));
  }
}

/**
 * Saves what was decided upon `before`. A version may differ where nothing was said differently, as when a new picture is shown,
 * which is no reason to ask anybody. Throws RequestFault, and SaidMeanwhile where somebody said something else.
 */
export async function save<Said, Of extends Seen<Said>>(
  keeping: Keeping<Said, Of>,
  said: Said,
  before: Of,
): Promise<Of> {
  try {
    return await keeping.change(said, before.version);
  } catch (reason) {
    if (!(reason instanceof RequestFault) || reason.code !== "changed_meanwhile") throw reason;
  }
  const now = await keeping.look();
  // One's own, which was saved while its answer was lost.
  if (keeping.differing(now.said, said).length === 0) return now;
  const fields = keeping.differing(now.said, before.said);
  if (fields.length > 0) throw new SaidMeanwhile(now, fields);
  return keeping.change(said, now.version);
}

/** Ends something as it is shown, which cannot be undone: who meant something else looks at it again first. Throws as `save` does. */
export async function unlessChanged<Said, Of extends Seen<Said>>(
  keeping: Pick<Keeping<Said, Of>, "look" | "differing">,
  shown: Said,
  work: (now: Of) => Promise<unknown>,
): Promise<void> {
  const now = await keeping.look();
  if (keeping.differing(now.said, shown).length > 0) throw new Told((t) => t.changedBefore);
  await work(now);
}
