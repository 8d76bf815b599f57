import type { Ceremony } from "./account_api";

/** Whether this browser reads what the API asks for (WebAuthn level 3, JSON). */
export function knowsPasskeys(): boolean {
  return (
    typeof PublicKeyCredential === "function" && typeof PublicKeyCredential.parseCreationOptionsFromJSON === "function"
  );
}

/** Throws a DOMException when the person changes their mind. */
export async function makePasskey({ options }: Ceremony): Promise<unknown> {
  const publicKey = PublicKeyCredential.parseCreationOptionsFromJSON(options as PublicKeyCredentialCreationOptionsJSON);
  return answered(await navigator.credentials.create({ publicKey }));
}

/** Throws a DOMException when the person changes their mind. */
export async function showPasskey({ options }: Ceremony): Promise<unknown> {
  const publicKey = PublicKeyCredential.parseRequestOptionsFromJSON(options as PublicKeyCredentialRequestOptionsJSON);
  return answered(await navigator.credentials.get({ publicKey }));
}

function answered(credential: Credential | null): unknown {
  if (!(credential instanceof PublicKeyCredential)) throw new DOMException("no passkey", "NotAllowedError");
  return credential.toJSON();
}
