import { useEffect, useMemo, useState } from "preact/hooks";

import { AccountApi, type Membership, type Person } from "../account/account_api";
import { Confirmation, useAttempts } from "../account/confirming";
import { PeoplesPage } from "../account/frame";
import { useSpeech, wordsOf } from "../account/language";
import { KEEPERS } from "../account/organizations_section";
import { ShownOnce } from "../account/shown_once";
import { SignInForm } from "../account/sign_in_form";
import { usePerson } from "../account/who";
import type { SiteConfig } from "../site/config";
import { KeyForm } from "./key_form";
import { KeyRow } from "./key_row";
import { type Key, KeysApi, type NewKey } from "./keys_api";

interface KeysPageProps {
  readonly config: SiteConfig;
  /** The organisation that a link asks for, or empty. */
  readonly asked: string;
}

/** The keys of an organisation, for members who look after them. */
export function KeysPage({ config, asked }: KeysPageProps) {
  return (
    <PeoplesPage config={config} title={(t) => t.keysTitle}>
      <SignedIn config={config} asked={asked} />
    </PeoplesPage>
  );
}

function SignedIn({ config, asked }: KeysPageProps) {
  const { t, fault } = useSpeech();
  const api = useMemo(() => new AccountApi(config.apiUrl), [config]);
  const { person, isKnown, failed, look } = usePerson(api);
  useEffect(() => void look(), []);
  if (!isKnown) return <p role="status">{t.loading}</p>;
  return (
    <>
      <p class="fault" role="alert">
        {failed === null ? "" : fault(failed)}
      </p>
      {person === null && failed === null && <SignInForm api={api} onSignedIn={() => void look()} />}
      {person !== null && <Keepers config={config} asked={asked} api={api} person={person} />}
      <p>
        <a href="/account/">{t.toAccount}</a>
      </p>
    </>
  );
}

interface KeepersProps extends KeysPageProps {
  readonly api: AccountApi;
  readonly person: Person;
}

/** Which of their organisations, where somebody looks after the keys of several. */
function Keepers({ config, asked, api, person }: KeepersProps) {
  const { t, fault } = useSpeech();
  const [kept, setKept] = useState<readonly Membership[] | null>(null);
  const [chosen, setChosen] = useState(asked);
  const [failed, setFailed] = useState<unknown>(null);
  useEffect(() => {
    api.memberships().then((all) => setKept(all.filter(({ role }) => KEEPERS.includes(role))), setFailed);
  }, []);
  if (failed !== null) {
    return (
      <p class="fault" role="alert">
        {fault(failed)}
      </p>
    );
  }
  if (kept === null) return <p role="status">{t.loading}</p>;
  const organization = kept.find(({ organizationId }) => organizationId === chosen) ?? kept[0];
  if (organization === undefined) return <p>{t.keysNotYours}</p>;
  return (
    <>
      {kept.length > 1 && (
        <div class="field">
          <label for="organization">{t.chooseOrganization}</label>
          <div class="input">
            <select id="organization" value={organization.organizationId} onChange={(event) => setChosen(event.currentTarget.value)}>
              {kept.map(({ organizationId, name }) => (
                <option key={organizationId} value={organizationId}>
                  {name}
                </option>
              ))}
            </select>
          </div>
        </div>
      )}
      <Keys key={organization.organizationId} config={config} api={api} person={person} organization={organization} />
    </>
  );
}

interface KeysProps {
  readonly config: SiteConfig;
  readonly api: AccountApi;
  readonly person: Person;
  readonly organization: Membership;
}

function Keys({ config, api, person, organization }: KeysProps) {
  const speech = useSpeech();
  const { t } = speech;
  const keysApi = useMemo(() => new KeysApi(config.apiUrl, organization.organizationId), [config, organization]);
  const [keys, setKeys] = useState<readonly Key[] | null>(null);
  const [secret, setSecret] = useState("");
  const look = async () => setKeys(await keysApi.list());
  const { attempt, said, failed, waiting } = useAttempts(look);
  useEffect(() => void attempt(look, undefined, true), []);
  const make = (asked: NewKey) => attempt(async () => setSecret(await keysApi.make(asked)));
  return (
    <>
      <h2>{organization.name}</h2>
      <p>{t.keysAbout(organization.name)}</p>
      <p class="fault" role="alert">
        {failed === null ? "" : wordsOf(speech, failed)}
      </p>
      <p role="status" class="said">
        {said === null ? "" : said(t)}
      </p>
      {waiting !== null && <Confirmation api={api} person={person} onConfirmed={() => void waiting()} />}
      {secret !== "" && (
        <ShownOnce title={t.keyMade} about={t.keyMadeAbout} secrets={[secret]} kept={t.keyKept} onKept={() => setSecret("")} />
      )}
      {keys?.length === 0 && <p>{t.noKeys}</p>}
      <ul class="rows">
        {keys?.map((key) => (
          <KeyRow
            key={key.id}
            of={key}
            onRotate={() => void make({ name: key.name, scopes: key.scopes, lifetimeDays: null })}
            onRevoke={() => void attempt(() => keysApi.revoke(key.id), (words) => words.keyGone)}
          />
        ))}
      </ul>
      <KeyForm onMake={make} />
    </>
  );
}
