import { momentIn, useSpeech } from "../account/language";
import { Copying } from "../account/shown_once";
import type { Endpoint } from "./webhooks_api";

/** The keys that sign what an endpoint is sent, to be copied to where it is received. */
export function PublicKeys({ of: { said, publicKeys } }: { readonly of: Endpoint }) {
  const { t, language } = useSpeech();
  return (
    <dl class="facts">
      {publicKeys.map(({ text, expiresAt }) => {
        const name = expiresAt === null ? t.publicKey : t.formerPublicKey(momentIn(language, expiresAt));
        return (
          <div key={text}>
            <dt>{name}</dt>
            <dd>
              <code>{text}</code>
              <Copying text={text} about={`${name}, ${said.url}`} />
            </dd>
          </div>
        );
      })}
    </dl>
  );
}
