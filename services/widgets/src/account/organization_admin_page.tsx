import { type ComponentChildren, Fragment } from "preact";
import { useMemo, useState } from "preact/hooks";

import type { SiteConfig } from "../site/config";
import { useOnMount } from "../site/use_on_mount";
import { AccountApi, type Membership, type Person } from "./account_api";
import { PeoplesPage } from "./frame";
import { useSpeech, type WordsIn } from "./language";
import { KEEPERS } from "./roles";
import { SignInForm } from "./sign_in_form";
import { usePerson } from "./who";

/** What such a page is about. */
export interface Kept {
  readonly config: SiteConfig;
  readonly api: AccountApi;
  readonly person: Person;
  readonly organization: Membership;
}

/** How such a page begins. */
export interface AskedPageProps {
  readonly config: SiteConfig;
  /** The organisation that a link asks for, or empty. */
  readonly asked: string;
}

interface OrganizationAdminPageProps extends AskedPageProps {
  readonly title: WordsIn;
  /** For whoever keeps no organisation. */
  readonly notYours: WordsIn;
  /** Whom it is for; those who look after keys, webhook endpoints and sign-in where nothing is said. */
  readonly roles?: readonly string[];
  readonly children: (kept: Kept) => ComponentChildren;
}

/** A page for those who look after an organisation: signed in, and with a choice where it is more than one. */
export function OrganizationAdminPage({ config, title, ...about }: OrganizationAdminPageProps) {
  return (
    <PeoplesPage config={config} title={title}>
      <SignedIn config={config} {...about} />
    </PeoplesPage>
  );
}

function SignedIn({ config, ...about }: Omit<OrganizationAdminPageProps, "title">) {
  const { t, fault } = useSpeech();
  const api = useMemo(() => new AccountApi(config.apiUrl), [config]);
  const { person, isKnown, failed, look } = usePerson(api);
  useOnMount(() => void look());
  if (!isKnown) return <p role="status">{t.loading}</p>;
  return (
    <>
      <p class="fault" role="alert">
        {failed === null ? "" : fault(failed)}
      </p>
      {person === null && failed === null && <SignInForm api={api} onSignedIn={() => void look()} />}
      {person !== null && <Keepers config={config} api={api} person={person} {...about} />}
      <p>
        <a href="/account/">{t.toAccount}</a>
      </p>
    </>
  );
}

interface KeepersProps extends Omit<OrganizationAdminPageProps, "title"> {
  readonly api: AccountApi;
  readonly person: Person;
}

function Keepers({ config, asked, api, person, notYours, roles = KEEPERS, children }: KeepersProps) {
  const { t, language, fault } = useSpeech();
  const [kept, setKept] = useState<readonly Membership[] | null>(null);
  const [chosen, setChosen] = useState(asked);
  const [failed, setFailed] = useState<unknown>(null);
  useOnMount(() => {
    api.memberships().then((all) => setKept(all.filter(({ role }) => roles.includes(role))), setFailed);
  });
  if (failed !== null) {
    return (
      <p class="fault" role="alert">
        {fault(failed)}
      </p>
    );
  }
  if (kept === null) return <p role="status">{t.loading}</p>;
  const organization = kept.find(({ organizationId }) => organizationId === chosen) ?? kept[0];
  if (organization === undefined) return <p>{notYours(t, language)}</p>;
  return (
    <>
      {kept.length > 1 && (
        <div class="field">
          <label for="organization">{t.chooseOrganization}</label>
          <div class="input">
            <select
              id="organization"
              value={organization.organizationId}
              onChange={(event) => setChosen(event.currentTarget.value)}
            >
              {kept.map(({ organizationId, name }) => (
                <option key={organizationId} value={organizationId}>
                  {name}
                </option>
              ))}
            </select>
          </div>
        </div>
      )}
      <Fragment key={organization.organizationId}>{children({ config, api, person, organization })}</Fragment>
    </>
  );
}
