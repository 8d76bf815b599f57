// Stands in for Stripe.js: a Payment Element of two fields, and a confirmation that declines one card number.
(() => {
  const origin = new URL(document.currentScript.src).origin;
  const declined = "4000000000000002";

  window.Stripe = (publishableKey, { stripeAccount }) => ({
    elements: ({ clientSecret }) => ({
      clientSecret,
      create: () => ({
        mount(target) {
          this.target = target;
          target.dataset.account = `${publishableKey} ${stripeAccount}`;
          target.innerHTML =
            '<div class="field"><label for="card">Card number</label>' +
            '<div class="input"><input id="card" inputmode="numeric" autocomplete="cc-number"></div></div>';
        },
        destroy() {
          this.target.replaceChildren();
        },
      }),
    }),
    async confirmPayment({ elements, confirmParams, redirect }) {
      if (redirect !== "if_required" || !confirmParams.return_url) throw new Error("confirmPayment was called wrongly");
      if (document.getElementById("card").value === declined) return { error: { message: "Your card was declined." } };
      await fetch(`${origin}/confirm`, { method: "POST", body: JSON.stringify({ client_secret: elements.clientSecret }) });
      return { paymentIntent: { status: "processing" } };
    },
  });
})();
