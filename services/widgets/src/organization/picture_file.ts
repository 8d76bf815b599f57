import { Told } from "../account/language";
import type { Kind } from "./own_api";
import { BYTES_MAX, type Fault, faultOf, type MediaType, mediaTypeOf, type Size } from "./picture_rules";

/** A file that may be sent, and what it looks like. */
export interface PictureFile extends Size {
  readonly file: File;
  readonly mediaType: MediaType;
  /** `data:`, the one kind besides our own host's that these pages show pictures from. */
  readonly url: string;
}

/** Looks at a file before anything is sent. Throws Told with what to do. */
export async function look(kind: Kind, file: File): Promise<PictureFile> {
  if (file.size > BYTES_MAX) throw refused("tooManyBytes");
  const mediaType = mediaTypeOf(new Uint8Array(await file.slice(0, 12).arrayBuffer()));
  if (mediaType === null) throw refused("noPicture");
  // Of the type that it is: its own is a guess by its name.
  const url = await dataUrlOf(file.slice(0, file.size, mediaType));
  const size = await sizeOf(url);
  const fault = faultOf(kind, size);
  if (fault !== null) throw refused(fault);
  return { file, mediaType, url, ...size };
}

function refused(fault: Fault): Told {
  return new Told((t) => t.pictureFaults[fault]);
}

function dataUrlOf(blob: Blob): Promise<string> {
  return new Promise((resolve, reject) => {
    const reader = new FileReader();
    reader.onload = () => resolve(String(reader.result));
    reader.onerror = () => reject(refused("noPicture"));
    reader.readAsDataURL(blob);
  });
}

async function sizeOf(url: string): Promise<Size> {
  const image = new Image();
  image.src = url;
  try {
    await image.decode();
  } catch {
    throw refused("noPicture");
  }
  return { width: image.naturalWidth, height: image.naturalHeight };
}
