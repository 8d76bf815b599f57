import { useState } from "preact/hooks";

import { Asking } from "../account/asking";
import { useSpeech } from "../account/language";
import { Part } from "../account/part";
import { Copying } from "../account/shown_once";
import { FormField } from "../donate/field";
import { useOneAtATime } from "../site/one_at_a_time";
import { type Group, GroupFields, namedTwice, RoleChoice, rolesOf, rowsOf } from "./group_fields";
import type { Parts } from "./parts";
import type { Connection, NewConnection } from "./sign_in_api";

interface ProviderPartProps extends Parts {
  readonly connection: Connection | null;
}

/** The provider, and what its groups make people here. */
export function ProviderPart({ connection, ...parts }: ProviderPartProps) {
  const { t } = useSpeech();
  const redirect = connection?.redirectAddress ?? `${location.origin}/account/`;
  return (
    <Part {...parts} title={t.providerTitle} about={t.providerAbout}>
      {(attempt) => (
        <>
          <dl class="facts">
            <dt>{t.redirectAddress}</dt>
            <dd>
              <code>{redirect}</code>
            </dd>
          </dl>
          <Copying text={redirect} about={t.redirectAddress} />
          {/* What somebody saved, or another one meanwhile, begins the form anew. */}
          <ConnectionForm
            key={connection?.version ?? ""}
            connection={connection}
            onSave={(asked) =>
              attempt(
                () => parts.signIn.set(asked, connection),
                (words) => words.signInSaved,
              )
            }
          />
          {connection !== null && (
            <div class="actions">
              <Asking
                action={t.signInRemove}
                sentence={t.signInRemoveAbout}
                yes={t.signInRemoveNow}
                no={t.leaveIt}
                onYes={() =>
                  void attempt(
                    () => parts.signIn.remove(),
                    (words) => words.signInGone,
                  )
                }
              />
            </div>
          )}
        </>
      )}
    </Part>
  );
}

interface ConnectionFormProps {
  readonly connection: Connection | null;
  readonly onSave: (asked: NewConnection) => Promise<void>;
}

function ConnectionForm({ connection, onSave }: ConnectionFormProps) {
  const { t } = useSpeech();
  const [groups, setGroups] = useState<readonly Group[]>(() => rowsOf(connection?.groupRoles ?? {}));
  const [defaultRole, setDefaultRole] = useState(connection?.defaultRole ?? "");
  const once = useOneAtATime();
  const submit = (event: Event) => {
    const form = event.currentTarget as HTMLFormElement;
    if (namedTwice(groups).size > 0) {
      event.preventDefault();
      form.querySelector<HTMLInputElement>("[aria-invalid]")?.focus();
      return;
    }
    const said = new FormData(form);
    const secret = String(said.get("client-secret"));
    void once(() =>
      onSave({
        issuer: String(said.get("issuer")).trim(),
        clientId: String(said.get("client-id")).trim(),
        clientSecret: secret === "" ? null : secret,
        defaultRole: defaultRole === "" ? null : defaultRole,
        groupRoles: rolesOf(groups),
        isRequired: connection?.isRequired ?? false,
      }),
    )(event);
  };
  const isNew = connection === null;
  return (
    <form onSubmit={submit}>
      <FormField
        id="issuer"
        type="url"
        label={t.issuer}
        hint={t.issuerHint}
        defaultValue={connection?.issuer ?? ""}
        autocomplete="off"
        maxLength={500}
        fault={undefined}
      />
      <FormField
        id="client-id"
        label={t.clientId}
        defaultValue={connection?.clientId ?? ""}
        autocomplete="off"
        maxLength={300}
        fault={undefined}
      />
      <FormField
        id="client-secret"
        type="password"
        label={t.clientSecret}
        hint={isNew ? t.clientSecretHint : t.clientSecretKept}
        required={isNew}
        autocomplete="off"
        maxLength={1000}
        fault={undefined}
      />
      <GroupFields groups={groups} onChange={setGroups} />
      <div class="field">
        <label for="default-role">{t.defaultRole}</label>
        <RoleChoice id="default-role" value={defaultRole} none={t.noRole} onChange={setDefaultRole} />
      </div>
      <button type="submit" class="primary">
        {isNew ? t.signInSetUp : t.signInSave}
      </button>
    </form>
  );
}
