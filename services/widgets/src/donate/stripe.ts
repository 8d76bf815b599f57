import type { Language } from "../language/language";
import type { Said } from "../language/speech";
import type { PaymentHandle } from "../site/api";
import { RequestFault } from "../site/http";

interface Confirmation {
  elements: StripeElements;
  confirmParams: { return_url: string };
  redirect: "if_required";
}

/** The part of Stripe.js that the pages use. https://docs.stripe.com/js/payment_intents/confirm_payment */
interface StripeClient {
  elements(options: { clientSecret: string; appearance?: object; locale?: Language }): StripeElements;
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
  confirm(returnUrl: string): Promise<Said | null>;
  remove(): void;
}

/** What a form is for, and the language it is in. `stores`: a card or account is stored for later, and nothing is paid now. */
export interface MountedFor {
  readonly stripeJsUrl: string;
  readonly payment: PaymentHandle;
  readonly language: Language;
  readonly stores: boolean;
}

let loading: Promise<void> | undefined;

/**
 * Mounts the Payment Element for one PaymentIntent on the organization's own account, or for one SetupIntent there or on
 * the platform.
 *
 * Stripe.js always comes from the vendor's host and carries no integrity hash, as Stripe asks of every site; the page's
 * Content-Security-Policy names that one host.
 */
export async function mountPaymentForm(
  { stripeJsUrl, payment, language, stores }: MountedFor,
  target: HTMLElement,
  onFault: (reason: RequestFault) => void,
): Promise<PaymentForm> {
  const stripe = await stripeFor(stripeJsUrl, payment);
  const elements = stripe.elements({ clientSecret: payment.clientSecret, appearance: appearance(), locale: language });
  const element = elements.create("payment");
  element.on("loaderror", () => onFault(RequestFault.own("form_unreachable", 0)));
  element.mount(target);
  return {
    async confirm(returnUrl) {
      const confirmParams = { return_url: returnUrl };
      const confirmation: Confirmation = { elements, confirmParams, redirect: "if_required" };
      const { error } = await (stores ? stripe.confirmSetup(confirmation) : stripe.confirmPayment(confirmation));
      if (error === undefined) return null;
      return refusal(error);
    },
    remove: () => element.destroy(),
  };
}

/** Stripe's own sentences come in the language that its form has. */
function refusal({ type, code, message }: { type?: string; code?: string; message?: string }): Said {
  // The same words for every reason: whoever tries stolen cards learns nothing here about any of them.
  if (type === "card_error") return ({ t }) => t.declined;
  // A payment, or a setup, ends after several cards were declined, and after a day.
  if (code === "payment_intent_unexpected_state" || code === "setup_intent_unexpected_state")
    return ({ t }) => t.paymentEnded;
  return ({ t }) => message ?? t.notAccepted;
}

/** Lets the donor's bank ask them about a payment that was confirmed elsewhere; what it decided, the API knows. Throws RequestFault. */
export async function handleNextAction(stripeJsUrl: string, handle: PaymentHandle): Promise<void> {
  const stripe = await stripeFor(stripeJsUrl, handle);
  await stripe.handleNextAction({ clientSecret: handle.clientSecret });
}

async function stripeFor(url: string, { publishableKey, stripeAccount }: PaymentHandle): Promise<StripeClient> {
  loading ??= load(url);
  await loading;
  if (window.Stripe === undefined) throw RequestFault.own("form_unreachable", 0);
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
      reject(RequestFault.own("form_unreachable", 0));
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
