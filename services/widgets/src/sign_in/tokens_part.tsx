import { useState } from "preact/hooks";

import { Asking } from "../account/asking";
import { momentIn, useSpeech } from "../account/language";
import { Part } from "../account/part";
import { Copying, ShownOnce } from "../account/shown_once";
import type { Parts } from "./parts";
import type { DirectoryToken } from "./sign_in_api";

interface TokensPartProps extends Parts {
  readonly tokens: readonly DirectoryToken[];
}

/** What the organisation's directory is known by. */
export function TokensPart({ tokens, ...parts }: TokensPartProps) {
  const { t } = useSpeech();
  const [secret, setSecret] = useState("");
  const address = `${parts.config.apiUrl}/scim/v2`;
  return (
    <Part {...parts} title={t.directoryTitle} about={t.directoryAbout}>
      {(attempt) => (
        <>
          {secret !== "" && (
            <ShownOnce
              title={t.tokenMade}
              about={t.tokenMadeAbout}
              secrets={[secret]}
              kept={t.tokenKept}
              onKept={() => setSecret("")}
            />
          )}
          <dl class="facts">
            <dt>{t.directoryAddress}</dt>
            <dd>
              <code>{address}</code>
            </dd>
          </dl>
          <Copying text={address} about={t.directoryAddress}>
            <button
              type="button"
              class="outlined"
              onClick={() => void attempt(async () => setSecret(await parts.signIn.makeToken()))}
            >
              {t.makeToken}
            </button>
          </Copying>
          {tokens.length === 0 && <p>{t.noTokens}</p>}
          <ul class="rows">
            {tokens.map((token) => (
              <TokenRow
                key={token.id}
                of={token}
                onRevoke={() =>
                  void attempt(
                    () => parts.signIn.revokeToken(token.id),
                    (words) => words.tokenGone,
                  )
                }
              />
            ))}
          </ul>
        </>
      )}
    </Part>
  );
}

function TokenRow({ of: token, onRevoke }: { readonly of: DirectoryToken; readonly onRevoke: () => void }) {
  const { t, language, day } = useSpeech();
  const name = t.tokenEnds(token.lastFour);
  const facts = [
    t.tokenMadeOn(day(token.createdAt)),
    token.lastUsedAt === null ? t.tokenUnused : t.tokenUsed(momentIn(language, token.lastUsedAt)),
    ...(token.revokedAt === null ? [] : [t.tokenRevokedOn(day(token.revokedAt))]),
  ];
  return (
    <li class={token.revokedAt === null ? undefined : "about"}>
      <p>
        <strong>{name}</strong>
      </p>
      <p class="about">{facts.join(" · ")}</p>
      {token.revokedAt === null && (
        <div class="actions">
          <Asking
            action={t.revoke}
            about={name}
            sentence={t.tokenRevokeAbout}
            yes={t.tokenRevokeNow}
            no={t.leaveIt}
            onYes={onRevoke}
          />
        </div>
      )}
    </li>
  );
}
