import { asCount, asObject, asText, RequestFault } from "../site/http";

/** Where the build has put the worker. */
declare const CHALLENGE_WORKER_URL: string;

const KIND = "proof-of-work-1";
/** More would keep a phone busy for minutes: no server of ours asks for it. */
const MOST_BITS = 20;
const MOST_PUZZLES = 64;

export interface Puzzles {
  readonly token: string;
  readonly bits: number;
  readonly puzzles: number;
}

/** What a problem with `challenge_required` asks for. Throws TypeError where this page cannot do it. */
export function puzzlesFrom(parsed: unknown): Puzzles {
  const challenge = asObject(parsed);
  if (challenge["kind"] !== KIND) throw new TypeError("not a challenge this page can solve");
  const bits = asCount(challenge["bits"]);
  const puzzles = asCount(challenge["puzzles"]);
  if (bits < 1 || bits > MOST_BITS || puzzles > MOST_PUZZLES)
    throw new TypeError("not a challenge a page should solve");
  return { token: asText(challenge["token"]), bits, puzzles };
}

/** Solves in a worker that ends with its answer. Throws RequestFault where workers are not to be had. */
export function solve(puzzles: Puzzles): Promise<string> {
  return new Promise((resolve, reject) => {
    const worker = new Worker(CHALLENGE_WORKER_URL);
    worker.addEventListener("message", ({ data }: MessageEvent<string>) => {
      worker.terminate();
      resolve(data);
    });
    worker.addEventListener("error", () => {
      worker.terminate();
      reject(RequestFault.own("unchecked", 0));
    });
    worker.postMessage(puzzles);
  });
}
