import { sha256 } from "@noble/hashes/sha2.js";

import type { Puzzles } from "./solving";

// Apart from the page: the form stays alive while numbers are tried.
self.addEventListener("message", ({ data }: MessageEvent<Puzzles>) => {
  const answers = Array.from({ length: data.puzzles }, (_, number) => answerTo(`${data.token}:${number}:`, data.bits));
  self.postMessage(`${data.token};${answers.join(",")}`);
});

/** The first number whose digest begins with so many zero bits (`amply.modules.defence.puzzles`). */
function answerTo(words: string, bits: number): number {
  const text = new TextEncoder();
  const begun = sha256.create().update(text.encode(words));
  for (let answer = 0; ; answer += 1) {
    const digest = begun
      .clone()
      .update(text.encode(String(answer)))
      .digest();
    if (new DataView(digest.buffer, digest.byteOffset).getUint32(0) >>> (32 - bits) === 0) return answer;
  }
}
