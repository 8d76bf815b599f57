import { useMemo } from "preact/hooks";

import { Failure } from "../account/failure";
import { useSpeech } from "../account/language";
import { type AskedPageProps, type Kept, OrganizationAdminPage } from "../account/organization_admin_page";
import { useLoaded } from "../account/use_loaded";
import { DomainsPart } from "./domains_part";
import { ProviderPart } from "./provider_part";
import { RequiringPart } from "./requiring_part";
import { SignInApi } from "./sign_in_api";
import { TokensPart } from "./tokens_part";
import { TryingPart } from "./trying_part";

/** How an organisation's own people sign in, for members who look after it. */
export function SignInPage(about: AskedPageProps) {
  return (
    <OrganizationAdminPage {...about} title={(t) => t.ownSignInTitle} notYours={(t) => t.ownSignInNotYours}>
      {(kept) => <OwnSignIn {...kept} />}
    </OrganizationAdminPage>
  );
}

function OwnSignIn(kept: Kept) {
  const { t } = useSpeech();
  const { config, organization } = kept;
  const signIn = useMemo(() => new SignInApi(config.apiUrl, organization.organizationId), [config, organization]);
  const { shown, failed, look } = useLoaded(async () => {
    const [connection, domains, tokens] = await Promise.all([signIn.connection(), signIn.domains(), signIn.tokens()]);
    return { connection, domains, tokens };
  });
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
