// A double of Stripe.js for the sandbox: the part of its interface that paying with a card, or storing one, needs.
// Where the real script puts inputs into frames of its own, this one puts them into the page: for tests only.
(() => {
  'use strict';

  const api = new URL(document.currentScript.src).origin;

  const FIELDS = [
    { name: 'number', label: 'Card number', placeholder: '4242 4242 4242 4242', autocomplete: 'cc-number' },
    { name: 'expiry', label: 'Expiration date', placeholder: 'MM / YY', autocomplete: 'cc-exp' },
    { name: 'cvc', label: 'Security code', placeholder: 'CVC', autocomplete: 'cc-csc' },
  ];

  const validation = (message, code) => ({ type: 'validation_error', code, message });

  class PaymentElement {
    constructor() {
      this.listeners = new Map();
      this.inputs = {};
      this.node = null;
    }

    mount(target) {
      const parent = typeof target === 'string' ? document.querySelector(target) : target;
      if (!parent) throw new Error(`The selector you specified (${target}) applies to no DOM elements.`);
      this.node = this.node ?? this.render();
      parent.replaceChildren(this.node);
      queueMicrotask(() => this.emit('ready', { elementType: 'payment' }));
    }

    unmount() {
      this.node?.remove();
    }

    destroy() {
      this.unmount();
      this.node = null;
      this.listeners.clear();
    }

    focus() {
      this.inputs.number?.focus();
    }

    update() {}

    on(event, listener) {
      this.listeners.set(event, [...(this.listeners.get(event) ?? []), listener]);
      return this;
    }

    off(event) {
      this.listeners.delete(event);
      return this;
    }

    emit(event, detail) {
      for (const listener of this.listeners.get(event) ?? []) listener(detail);
    }

    render() {
      const group = document.createElement('fieldset');
      const legend = document.createElement('legend');
      legend.textContent = 'Card details (TEST: use 4242 4242 4242 4242)';
      group.append(legend, ...FIELDS.map((field) => this.renderField(field)));
      group.style.cssText = 'border:1px solid #767676;border-radius:6px;padding:12px;display:grid;gap:12px;margin:0';
      group.addEventListener('input', () => {
        const complete = FIELDS.every(({ name }) => this.inputs[name].value.trim() !== '');
        this.emit('change', { elementType: 'payment', complete, empty: !complete, value: { type: 'card' } });
      });
      return group;
    }

    renderField({ name, label, placeholder, autocomplete }) {
      const wrapper = document.createElement('label');
      wrapper.style.cssText = 'display:grid;gap:4px';
      const input = document.createElement('input');
      Object.assign(input, { name: `sandbox-card-${name}`, placeholder, autocomplete, inputMode: 'numeric' });
      input.required = true;
      input.style.cssText = 'font:inherit;padding:10px;border:1px solid #767676;border-radius:4px';
      this.inputs[name] = input;
      wrapper.append(label, input);
      return wrapper;
    }

    // What was typed, or the sentence for the person who typed it.
    read() {
      const number = this.inputs.number?.value.replace(/[\s-]/g, '') ?? '';
      const expiry = /^\s*(\d{1,2})\s*\/?\s*(\d{2}|\d{4})\s*$/.exec(this.inputs.expiry?.value ?? '');
      const cvc = this.inputs.cvc?.value.trim() ?? '';
      if (!/^\d{12,19}$/.test(number)) return { error: validation('Your card number is incomplete.', 'incomplete_number') };
      if (!expiry) return { error: validation("Your card's expiration date is incomplete.", 'incomplete_expiry') };
      if (!/^\d{3,4}$/.test(cvc)) return { error: validation("Your card's security code is incomplete.", 'incomplete_cvc') };
      return { card: { number, exp_month: expiry[1], exp_year: expiry[2], cvc } };
    }
  }

  class Elements {
    constructor({ clientSecret }) {
      this.clientSecret = clientSecret;
      this.element = null;
    }

    create(type) {
      if (type !== 'payment') throw new Error(`This sandbox has the payment element alone, not '${type}'.`);
      if (this.element) throw new Error('Can only create one Element of type payment.');
      this.element = new PaymentElement();
      return this.element;
    }

    getElement(type) {
      return type === 'payment' ? this.element : null;
    }

    update() {}

    async fetchUpdates() {
      return {};
    }

    async submit() {
      const { error } = this.element?.read() ?? {};
      return error ? { error } : { selectedPaymentMethod: 'card' };
    }
  }

  // {number: …} under "card" becomes card[number]=…, as Stripe's API wants it.
  const encode = (values, into = new URLSearchParams(), prefix = '') => {
    for (const [key, value] of Object.entries(values)) {
      if (value === undefined || value === null) continue;
      const name = prefix ? `${prefix}[${key}]` : key;
      if (typeof value === 'object') encode(value, into, name);
      else into.set(name, String(value));
    }
    return into;
  };

  // The bank's page, in a dialog: resolves when the person has decided.
  const authenticate = (intent) =>
    new Promise((resolve) => {
      const { pathname, search } = new URL(intent.next_action.use_stripe_sdk.stripe_js);
      const dialog = document.createElement('dialog');
      dialog.setAttribute('aria-label', 'Test bank');
      const words = document.createElement('p');
      words.textContent = 'TEST: this dialog stands for the bank of the person who pays.';
      dialog.append(words);
      for (const [outcome, label] of [['succeed', 'Complete authentication'], ['fail', 'Fail authentication']]) {
        const button = document.createElement('button');
        Object.assign(button, { type: 'button', textContent: label });
        button.addEventListener('click', async () => {
          dialog.remove();
          // What the bank decided is read from the intent, whether this answer arrives or not.
          await fetch(`${api}${pathname}${search}`, { method: 'POST', body: new URLSearchParams({ outcome }) }).catch(() => {});
          resolve();
        });
        dialog.append(button);
      }
      dialog.addEventListener('cancel', (event) => event.preventDefault());
      document.body.append(dialog);
      dialog.showModal();
    });

  class StripeDouble {
    constructor(publishableKey, { stripeAccount } = {}) {
      if (!/^pk_test_/.test(publishableKey ?? '')) throw new Error('Stripe() needs a publishable test key (pk_test_…).');
      this.headers = { Authorization: `Bearer ${publishableKey}` };
      if (stripeAccount) this.headers['Stripe-Account'] = stripeAccount;
    }

    elements({ clientSecret } = {}) {
      if (!/^(pi|seti)_\w+_secret_\w+$/.test(clientSecret ?? '')) {
        throw new Error('In order to create a payment element, you must pass a valid PaymentIntent or SetupIntent client secret.');
      }
      return new Elements({ clientSecret });
    }

    async retrievePaymentIntent(clientSecret) {
      return this.request('GET', clientSecret, '', {});
    }

    async retrieveSetupIntent(clientSecret) {
      return this.request('GET', clientSecret, '', {});
    }

    async confirmPayment(options) {
      return this.confirm('confirmPayment', options);
    }

    async confirmSetup(options) {
      return this.confirm('confirmSetup', options);
    }

    async confirm(caller, { elements, clientSecret, confirmParams = {}, redirect = 'always' }) {
      if (redirect === 'always' && !confirmParams.return_url) {
        throw new Error(`${caller} needs confirmParams.return_url, unless redirect is 'if_required'.`);
      }
      const secret = clientSecret ?? elements.clientSecret;
      const data = this.paymentMethod(elements, confirmParams);
      if (data.error) return data;
      const params = { return_url: confirmParams.return_url, receipt_email: confirmParams.receipt_email, ...data };
      const result = await this.request('POST', secret, '/confirm', { ...params, use_stripe_sdk: true });
      const settled = await this.followUp(result);
      const intent = settled.paymentIntent ?? settled.setupIntent;
      return redirect === 'always' && intent ? this.leave(confirmParams.return_url, intent) : settled;
    }

    async handleNextAction({ clientSecret }) {
      return this.followUp(await this.request('GET', clientSecret, '', {}));
    }

    paymentMethod(elements, confirmParams) {
      if (confirmParams.payment_method) return { payment_method: confirmParams.payment_method };
      const { card, error } = elements?.getElement('payment')?.read() ?? { error: validation('No payment element is mounted.') };
      if (error) return { error };
      const billing = confirmParams.payment_method_data?.billing_details;
      return { payment_method_data: { type: 'card', card, billing_details: billing } };
    }

    async followUp(given) {
      const intent = given.paymentIntent ?? given.setupIntent;
      if (intent?.status !== 'requires_action') return given;
      await authenticate(intent);
      const result = await this.request('GET', intent.client_secret, '', {});
      const decided = result.paymentIntent ?? result.setupIntent;
      const failed = decided?.last_payment_error ?? decided?.last_setup_error;
      return failed ? { error: { ...failed, [decided.object]: decided } } : result;
    }

    leave(returnUrl, intent) {
      const url = new URL(returnUrl);
      url.searchParams.set(intent.object, intent.id);
      url.searchParams.set(`${intent.object}_client_secret`, intent.client_secret);
      url.searchParams.set('redirect_status', intent.status === 'succeeded' ? 'succeeded' : 'pending');
      window.location.assign(url);
      return new Promise(() => {});
    }

    async request(method, clientSecret, action, params) {
      const id = clientSecret.split('_secret_')[0];
      const encoded = encode({ client_secret: clientSecret, ...params });
      const setsUp = id.startsWith('seti_');
      const url = `${api}/v1/${setsUp ? 'setup_intents' : 'payment_intents'}/${encodeURIComponent(id)}${action}`;
      try {
        const response = method === 'GET'
          ? await fetch(`${url}?${encoded}`, { headers: this.headers })
          : await fetch(url, { method, headers: this.headers, body: encoded });
        const body = await response.json();
        return response.ok ? { [setsUp ? 'setupIntent' : 'paymentIntent']: body } : { error: body.error };
      } catch (cause) {
        return { error: { type: 'api_connection_error', message: 'We are unable to reach the payment provider. Try again.' } };
      }
    }
  }

  window.Stripe = (publishableKey, options) => new StripeDouble(publishableKey, options);
  window.Stripe.version = 3;
})();
