import { type Api, type CreatedDonation, donationBody, type NewDonation } from "../site/api";
import { RequestFault } from "../site/http";
import { pause } from "../site/waiting";

const RETRY_PAUSES_MILLISECONDS = [500, 1_500, 4_000];
const LONGEST_RETRY_AFTER_SECONDS = 10;

/**
 * Sends one form's donation, at most once however often it is tried.
 *
 * The idempotency key belongs to what is asked: an unchanged form keeps its key through every retry, the page's own
 * and the donor's, and a changed form is another donation with another key.
 */
export class DonationSender {
  readonly #api: Api;
  #body = "";
  #key = "";

  constructor(api: Api) {
    this.#api = api;
  }

  /** Throws RequestFault when the answer is final or the tries are used up. */
  async send(donation: NewDonation): Promise<CreatedDonation> {
    const body = donationBody(donation);
    if (body !== this.#body) {
      this.#body = body;
      this.#key = crypto.randomUUID();
    }
    for (const milliseconds of RETRY_PAUSES_MILLISECONDS) {
      try {
        return await this.#api.createDonation(body, this.#key);
      } catch (fault) {
        if (!isWorthAnotherTry(fault)) throw fault;
        await pause(Math.max(milliseconds, fault.retryAfterSeconds * 1_000));
      }
    }
    return await this.#api.createDonation(body, this.#key);
  }
}

function isWorthAnotherTry(fault: unknown): fault is RequestFault {
  return fault instanceof RequestFault && fault.isPassing && fault.retryAfterSeconds <= LONGEST_RETRY_AFTER_SECONDS;
}
