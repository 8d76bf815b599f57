import { challenged } from "../challenge/challenged";
import type { Posting } from "../site/api";
import { RequestFault } from "../site/http";
import { pause } from "../site/waiting";

const RETRY_PAUSES_MILLISECONDS = [500, 1_500, 4_000];
const LONGEST_RETRY_AFTER_SECONDS = 10;
/** Answers that another try within seconds cannot change; `form_closed` says when to come back. */
const FINAL_CODES: readonly string[] = ["form_closed"];

/**
 * Sends what one form asks for, at most once however often it is tried.
 *
 * The idempotency key belongs to what is asked: an unchanged form keeps its key through every retry, the page's own
 * and the donor's, and a changed form is another gift with another key.
 */
export class Sender<Answer> {
  readonly #post: (posting: Posting) => Promise<Answer>;
  #body = "";
  #key = "";

  constructor(post: (posting: Posting) => Promise<Answer>) {
    this.#post = post;
  }

  /**
   * `onChallenge` is called when the server asks for a proof of work, which takes a while. Throws RequestFault when the
   * answer is final or the tries are used up.
   */
  async send(body: string, onChallenge: () => void): Promise<Answer> {
    if (body !== this.#body) {
      this.#body = body;
      this.#key = crypto.randomUUID();
    }
    for (const milliseconds of RETRY_PAUSES_MILLISECONDS) {
      try {
        return await this.#create(body, onChallenge);
      } catch (fault) {
        if (!isWorthAnotherTry(fault)) throw fault;
        await pause(Math.max(milliseconds, fault.retryAfterSeconds * 1_000));
      }
    }
    return await this.#create(body, onChallenge);
  }

  #create(body: string, onChallenge: () => void): Promise<Answer> {
    return challenged((solution) => this.#post({ body, idempotencyKey: this.#key, solution }), onChallenge);
  }
}

function isWorthAnotherTry(fault: unknown): fault is RequestFault {
  if (!(fault instanceof RequestFault) || FINAL_CODES.includes(fault.code)) return false;
  return fault.isPassing && fault.retryAfterSeconds <= LONGEST_RETRY_AFTER_SECONDS;
}
