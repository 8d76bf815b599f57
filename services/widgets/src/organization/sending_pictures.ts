import { Told, type Words } from "../account/language";
import { RequestFault } from "../site/http";
import { pause } from "../site/waiting";
import { type AltTexts, type Image, type Kind, type OwnApi, post, type Refused, type Upload } from "./own_api";
import type { PictureFile } from "./picture_file";

const AGAIN_AFTER_MILLISECONDS = [500, 1_500, 4_000];
const LOOK_EVERY_MILLISECONDS = 1_000;
const LOOKS_MAX = 60;

export interface ToSend {
  readonly kind: Kind;
  readonly chosen: PictureFile;
  readonly alt: AltTexts;
}

/** From the file to the picture that is shown; `onProgress` says how far it is. Throws RequestFault and Told. */
export async function sendPicture(
  own: OwnApi,
  { kind, chosen, alt }: ToSend,
  onProgress: (words: Words) => void,
): Promise<void> {
  onProgress((t) => t.pictureSending);
  const place = await own.offer(kind, chosen.mediaType, alt);
  try {
    await again(() => posted(place, chosen.file));
    await again(() => own.received(place.imageId));
  } catch (reason) {
    // What never came would count among the ten until it is forgotten.
    await own.remove(place.imageId).catch(() => {});
    throw reason;
  }
  onProgress((t) => t.pictureMaking);
  await made(own, place.imageId);
}

async function posted(place: Upload, file: Blob): Promise<void> {
  try {
    await post(place, file);
  } catch (reason) {
    // The store speaks XML, and English.
    if (reason instanceof RequestFault && !isLost(reason)) throw new Told((t) => t.uploadRefused);
    throw reason;
  }
}

/** Until it is shown. */
async function made(own: OwnApi, imageId: string): Promise<void> {
  for (let looks = 0; looks < LOOKS_MAX; looks += 1) {
    const image = await foundAmong(own, imageId);
    if (image?.state === "shown") return;
    if (image?.refused) throw refusal(image.refused);
    if (image === null) throw new Told((t) => t.pictureReplaced);
    await pause(LOOK_EVERY_MILLISECONDS);
  }
  throw new Told((t) => t.pictureLater);
}

/** Null where it is there no more; undefined where nobody can tell just now. */
async function foundAmong(own: OwnApi, imageId: string): Promise<Image | null | undefined> {
  try {
    return (await own.images()).find(({ id }) => id === imageId) ?? null;
  } catch (reason) {
    if (reason instanceof RequestFault && reason.isPassing) return undefined;
    throw reason;
  }
}

/** Why nothing is made of it, and what to do. */
export function refusal({ reason, detail }: Refused): Told {
  return new Told((t) => t.refusals[reason] ?? detail);
}

/** For what may be sent twice. */
async function again(work: () => Promise<void>): Promise<void> {
  for (const milliseconds of AGAIN_AFTER_MILLISECONDS) {
    try {
      return await work();
    } catch (reason) {
      if (!isLost(reason)) throw reason;
      await pause(milliseconds);
    }
  }
  return work();
}

/** The same request may succeed in a moment. */
function isLost(reason: unknown): boolean {
  return reason instanceof RequestFault && (reason.status === 0 || reason.status >= 500);
}
