/** What the commands need to know; all of it comes from the API, which writes no quote into any. */
export interface Trial {
  readonly apiUrl: string;
  /** Where test cards are charged. */
  readonly processorUrl: string;
  readonly organizationId: string;
  readonly secret: string;
}

/** Three commands for a shell with curl and jq: a gift is taken by the key, paid with a test card, and looked up. */
export function commandsOf({ apiUrl, processorUrl, organizationId, secret }: Trial): readonly [string, string, string] {
  const gift = {
    organization_id: organizationId,
    amount: { minor_units: "1500", currency: "EUR" },
    donor: { name: "Grace Example", email: "grace@example.org" },
  };
  const said = (path: string) => `$(jq -r '${path}' gift.json)`;
  return [
    [
      `curl -sS '${apiUrl}/v1/donations'`,
      `-H 'Authorization: Bearer ${secret}'`,
      "-H 'Content-Type: application/json'",
      "-H 'Idempotency-Key: first-gift'",
      `-d '${JSON.stringify(gift)}' > gift.json`,
    ].join(CONTINUED),
    [
      `curl -sS "${processorUrl}/v1/payment_intents/${said('.payment.client_secret | split("_secret_")[0]')}/confirm"`,
      `-H "Authorization: Bearer ${said(".payment.publishable_key")}"`,
      `-H "Stripe-Account: ${said(".payment.stripe_account")}"`,
      `-d "client_secret=${said(".payment.client_secret")}"`,
      `-d payment_method=pm_card_visa -d 'return_url=${apiUrl}'`,
    ].join(CONTINUED),
    `curl -sS "${apiUrl}/v1/donations/${said(".id")}" | jq '{status, ledger}'`,
  ];
}

const CONTINUED = " \\\n  ";
