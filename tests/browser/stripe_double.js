// Stands in for Stripe.js: a Payment Element of two fields, and a confirmation that declines one card number.
(() => {
  const origin = new URL(document.currentScript.src).origin;
  const declined = "4000000000000002";

  window.Stripe = (publishableKey, { stripeAccount }) => ({
    elements: ({ clientSecret, locale }) => ({
      clientSecret,
      create: () => ({
        on(event, listener) {
          this.listener = listener;
        },
        mount(target) {
          if (publishableKey === "pk_test_broken") queueMicrotask(this.listener);
          this.target = target;
          target.dataset.account = `${publishableKey} ${stripeAccount}`;
          target.dataset.locale = locale;
          target.innerHTML =
            '<div class="field"><label for="card">Card number</label>' +
            '<div class="input"><input id="card" inputmode="numeric" autocomplete="cc-number"></div></div>';
        },
        destroy() {
          if (this.target === undefined) throw new Error("This Element has already been destroyed.");
          this.target.replaceChildren();
          this.target = undefined;
        },
      }),
    }),
    async confirmSetup({ confirmParams, redirect }) {
      if (redirect !== "if_required" || !confirmParams.return_url) throw new Error("confirmSetup was called wrongly");
      return { setupIntent: { status: "succeeded" } };
    },
    async handleNextAction({ clientSecret }) {
      document.body.dataset.asked = `${clientSecret} ${stripeAccount}`;
      return {};
    },
    async confirmPayment({ elements, confirmParams, redirect }) {
      if (redirect !== "if_required" || !confirmParams.return_url) throw new Error("confirmPayment was called wrongly");
      if (document.getElementById("card").value === declined) return { error: { type: "card_error", message: "Your card has insufficient funds." } };
      await fetch(`${origin}/confirm`, { method: "POST", body: JSON.stringify({ client_secret: elements.clientSecret }) });
      return { paymentIntent: { status: "processing" } };
    },
  });
})();
