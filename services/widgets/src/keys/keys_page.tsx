import { useMemo, useState } from "preact/hooks";

import { ActionResult } from "../account/action_result";
import { useAttempts } from "../account/confirming";
import { useSpeech } from "../account/language";
import { type AskedPageProps, type Kept, OrganizationAdminPage } from "../account/organization_admin_page";
import { ShownOnce } from "../account/shown_once";
import { useOnMount } from "../site/use_on_mount";
import { KeyForm } from "./key_form";
import { KeyRow } from "./key_row";
import { type Key, KeysApi, type NewKey } from "./keys_api";

/** The keys of an organisation, for members who look after them. */
export function KeysPage(about: AskedPageProps) {
  return (
    <OrganizationAdminPage {...about} title={(t) => t.keysTitle} notYours={(t) => t.keysNotYours}>
      {(kept) => <Keys {...kept} />}
    </OrganizationAdminPage>
  );
}

function Keys({ config, api, person, organization }: Kept) {
  const { t } = useSpeech();
  const keysApi = useMemo(() => new KeysApi(config.apiUrl, organization.organizationId), [config, organization]);
  const [keys, setKeys] = useState<readonly Key[] | null>(null);
  const [secret, setSecret] = useState("");
  const look = async () => setKeys(await keysApi.list());
  const { attempt, ...became } = useAttempts(look);
  useOnMount(() => void attempt(look, undefined, true));
  const make = (asked: NewKey) => attempt(async () => setSecret(await keysApi.make(asked)));
  return (
    <>
      <h2>{organization.name}</h2>
      <p>{t.keysAbout(organization.name)}</p>
      <ActionResult {...became} api={api} person={person} />
      {secret !== "" && (
        <ShownOnce
          title={t.keyMade}
          about={t.keyMadeAbout}
          secrets={[secret]}
          kept={t.keyKept}
          onKept={() => setSecret("")}
        />
      )}
      {keys?.length === 0 && <p>{t.noKeys}</p>}
      <ul class="rows">
        {keys?.map((key) => (
          <KeyRow
            key={key.id}
            of={key}
            onRotate={() => void make({ name: key.name, scopes: key.scopes, lifetimeDays: null })}
            onRevoke={() =>
              void attempt(
                () => keysApi.revoke(key.id),
                (words) => words.keyGone,
              )
            }
          />
        ))}
      </ul>
      <KeyForm onMake={make} />
    </>
  );
}
