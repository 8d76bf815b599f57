import { useEffect, useMemo, useState } from "preact/hooks";

import { Failure } from "../account/failure";
import { KeepersPage, type Kept } from "../account/keepers_page";
import { useSpeech } from "../account/language";
import type { SiteConfig } from "../site/config";
import { DomainsPart } from "./domains_part";
import { ProviderPart } from "./provider_part";
import { RequiringPart } from "./requiring_part";
import { type Connection, type DirectoryToken, type Domain, SignInApi } from "./sign_in_api";
import { TokensPart } from "./tokens_part";
import { TryingPart } from "./trying_part";

interface SignInPageProps {
  readonly config: SiteConfig;
  /** The organisation that a link asks for, or empty. */
  readonly asked: string;
}

/** How an organisation's own people sign in, for members who look after it. */
export function SignInPage(about: SignInPageProps) {
  return (
    <KeepersPage {...about} title={(t) => t.ownSignInTitle} notYours={(t) => t.ownSignInNotYours}>
      {(kept) => <OwnSignIn {...kept} />}
    </KeepersPage>
  );
}

interface Shown {
  readonly connection: Connection | null;
  readonly domains: readonly Domain[];
  readonly tokens: readonly DirectoryToken[];
}

function OwnSignIn(kept: Kept) {
  const { t } = useSpeech();
  const { config, organization } = kept;
  const signIn = useMemo(() => new SignInApi(config.apiUrl, organization.organizationId), [config, organization]);
  const [shown, setShown] = useState<Shown | null>(null);
  const [failed, setFailed] = useState<unknown>(null);
  const look = async () => {
    const [connection, domains, tokens] = await Promise.all([signIn.connection(), signIn.domains(), signIn.tokens()]);
    setShown({ connection, domains, tokens });
  };
  useEffect(() => void look().catch(setFailed), []);
  const about = { ...kept, signIn, look };
  return (
    <>
      <h2>{organization.name}</h2>
      <p>{t.ownSignInAbout(organization.name)}</p>
      <Failure of={failed} />
      {shown === null && failed === null && <p role="status">{t.loading}</p>}
      {shown !== null && (
        <>
          <ProviderPart {...about} connection={shown.connection} />
          <DomainsPart {...about} domains={shown.domains} />
          <TryingPart {...about} connection={shown.connection} domains={shown.domains} />
          <RequiringPart {...about} connection={shown.connection} />
          <TokensPart {...about} tokens={shown.tokens} />
        </>
      )}
    </>
  );
}
