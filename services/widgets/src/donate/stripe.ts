import type { PaymentHandle } from "../site/api";
import { RequestFault } from "../site/http";

interface Confirmation {
  elements: StripeElements;
  confirmParams: { return_url: string };
  redirect: "if_required";
}

/** The part of Stripe.js that the pages use. https://docs.stripe.com/js/payment_intents/confirm_payment */
interface StripeClient {
  elements(options: { clientSecret: string; appearance?: object }): StripeElements;
  confirmPayment(options: Confirmation): Promise<{ error?: { type?: string; code?: string; message?: string } }>;
  confirmSetup(options: Confirmation): Promise<{ error?: { type?: string; code?: string; message?: string } }>;
  handleNextAction(options: { clientSecret: string }): Promise<object>;
}

interface StripeElements {
  create(type: "payment"): PaymentElement;
}

interface PaymentElement {
  mount(target: HTMLElement): void;
  on(event: "loaderror", listener: () => void): void;
  destroy(): void;
}

declare global {
  interface Window {
    Stripe?: (publishableKey: string, options: { stripeAccount?: string }) => StripeClient;
  }
}

export interface PaymentForm {
  /** Null when the payment went through or is on its way; otherwise one sentence for the donor. */
  confirm(returnUrl: string): Promise<string | null>;
  remove(): void;
}

const UNREACHABLE = "The payment form could not be loaded. Check your connection or content blocker and try again.";
/** The same words for every reason: whoever tries stolen cards learns nothing here about any of them. */
const DECLINED =
  "Your bank did not accept this payment, and no money was taken. Try another card, or ask your bank for the reason.";
/** A payment ends after several cards were declined. */
const ENDED = "This payment cannot be tried any more, and no money was taken. Please reload the page to start again.";
let loading: Promise<void> | undefined;

/**
 * Mounts the Payment Element for one PaymentIntent on the organization's own account, or for one SetupIntent (`stores`) there
 * or on the platform.
 *
 * Stripe.js always comes from the vendor's host and carries no integrity hash, as Stripe asks of every site; the page's
 * Content-Security-Policy names that one host.
 */
export async function mountPaymentForm(
  stripeJsUrl: string,
  handle: PaymentHandle,
  target: HTMLElement,
  onFault: (sentence: string) => void,
  stores = false,
): Promise<PaymentForm> {
  const stripe = await stripeFor(stripeJsUrl, handle);
  const elements = stripe.elements({ clientSecret: handle.clientSecret, appearance: appearance() });
  const element = elements.create("payment");
  element.on("loaderror", () => onFault(UNREACHABLE));
  element.mount(target);
  return {
    async confirm(returnUrl) {
      const confirmParams = { return_url: returnUrl };
      const confirmation: Confirmation = { elements, confirmParams, redirect: "if_required" };
      const { error } = await (stores ? stripe.confirmSetup(confirmation) : stripe.confirmPayment(confirmation));
      if (error === undefined) return null;
      if (error.type === "card_error") return DECLINED;
      if (error.code === "payment_intent_unexpected_state") return ENDED;
      return error.message ?? "The payment was not accepted. Please try another way to pay.";
    },
    remove: () => element.destroy(),
  };
}

/** Lets the donor's bank ask them about a payment that was confirmed elsewhere; what it decided, the API knows. Throws RequestFault. */
export async function handleNextAction(stripeJsUrl: string, handle: PaymentHandle): Promise<void> {
  const stripe = await stripeFor(stripeJsUrl, handle);
  await stripe.handleNextAction({ clientSecret: handle.clientSecret });
}

async function stripeFor(url: string, { publishableKey, stripeAccount }: PaymentHandle): Promise<StripeClient> {
  loading ??= load(url);
  await loading;
  if (window.Stripe === undefined) throw new RequestFault(UNREACHABLE, { status: 0 });
  return window.Stripe(publishableKey, stripeAccount === null ? {} : { stripeAccount });
}

function load(url: string): Promise<void> {
  return new Promise((resolve, reject) => {
    const script = document.createElement("script");
    script.src = url;
    script.onload = () => resolve();
    script.onerror = () => {
      loading = undefined;
      script.remove();
      reject(new RequestFault(UNREACHABLE, { status: 0 }));
    };
    document.head.append(script);
  });
}

/** The element lives in the vendor's frame, where our style sheet does not reach. */
function appearance(): object {
  const isDark = matchMedia("(prefers-color-scheme: dark)").matches;
  return {
    theme: isDark ? "night" : "stripe",
    variables: { colorPrimary: isDark ? "#7cc9ea" : "#05668d", borderRadius: "10px" },
  };
}
