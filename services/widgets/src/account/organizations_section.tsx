import type { AccountApi, Membership } from "./account_api";
import { Asking } from "./asking";
import type { Attempt } from "./confirming";
import { useSpeech } from "./language";
import { AT_HOME, KEEPERS, REFUNDING, SELLERS } from "./roles";

interface OrganizationsSectionProps {
  readonly api: AccountApi;
  readonly memberships: readonly Membership[];
  readonly hasSellerPortal: boolean;
  readonly attempt: Attempt;
}

export function OrganizationsSection({ api, memberships, hasSellerPortal, attempt }: OrganizationsSectionProps) {
  const { t } = useSpeech();
  return (
    <>
      <h2 class="part">{t.organizations}</h2>
      {memberships.length === 0 && <p>{t.noOrganizations}</p>}
      <ul class="rows">
        {memberships.map(({ organizationId, name, role }) => (
          <li key={organizationId}>
            <p>
              <strong>{name}</strong> · {t.roles[role] ?? role}
            </p>
            <div class="actions">
              {AT_HOME.includes(role) && (
                <a href={`/account/organisation/?org=${encodeURIComponent(organizationId)}`}>{t.profileOf}</a>
              )}
              {REFUNDING.includes(role) && (
                <a href={`/account/organisation/?org=${encodeURIComponent(organizationId)}#gifts`}>{t.giftsOf}</a>
              )}
              {KEEPERS.includes(role) && (
                <>
                  <a href={`/account/keys/?org=${encodeURIComponent(organizationId)}`}>{t.keysOf}</a>
                  <a href={`/account/webhooks/?org=${encodeURIComponent(organizationId)}`}>{t.webhooksOf}</a>
                  <a href={`/account/sign-in/?org=${encodeURIComponent(organizationId)}`}>{t.signInOf}</a>
                </>
              )}
              {hasSellerPortal && SELLERS.includes(role) && (
                <a href={`/data/?org=${encodeURIComponent(organizationId)}`}>{t.dataOf}</a>
              )}
              <Asking
                action={t.leave}
                about={name}
                sentence={t.leaveAsked(name)}
                yes={t.leaveNow(name)}
                no={t.leaveIt}
                onYes={() =>
                  void attempt(
                    () => api.leave(organizationId),
                    (words) => words.left(name),
                  )
                }
              />
            </div>
          </li>
        ))}
      </ul>
    </>
  );
}
