import { RequestFault } from "../site/http";
import { puzzlesFrom, solve } from "./solving";

const MOST_CHALLENGES = 2;

/**
 * Asks, and where the server wants a proof of work first, solves it and asks again: nobody is shown a picture to read.
 *
 * `onChallenge` is called before each, which takes a while. Throws RequestFault.
 */
export async function challenged<Answer>(
  ask: (solution: string | undefined) => Promise<Answer>,
  onChallenge: () => void = () => undefined,
): Promise<Answer> {
  let solution: string | undefined;
  for (let challenges = 0; ; challenges += 1) {
    try {
      return await ask(solution);
    } catch (fault) {
      if (!isChallenge(fault)) throw fault;
      if (challenges === MOST_CHALLENGES) throw RequestFault.own("unsolved", fault.status);
      onChallenge();
      solution = await solve(puzzlesFrom(fault.challenge));
    }
  }
}

/** What is sent with a request whose challenge is solved. */
export function solutionHeader(solution: string | undefined): Readonly<Record<string, string>> {
  return solution === undefined ? {} : { "Amply-Challenge": solution };
}

function isChallenge(fault: unknown): fault is RequestFault {
  return fault instanceof RequestFault && fault.code === "challenge_required";
}
