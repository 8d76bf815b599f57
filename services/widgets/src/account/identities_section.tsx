import type { AccountApi, Identity, Membership, Provider } from "./account_api";
import type { Attempt } from "./confirming";
import { useSpeech } from "./language";
import { leaveFor } from "./outside";

interface IdentitiesSectionProps {
  readonly api: AccountApi;
  readonly providers: readonly Provider[];
  readonly identities: readonly Identity[];
  /** An organisation's own provider is called as it is. */
  readonly memberships: readonly Membership[];
  readonly attempt: Attempt;
}

/** The providers that sign somebody in, and those that could; nothing where there are neither. */
export function IdentitiesSection({ api, providers, identities, memberships, attempt }: IdentitiesSectionProps) {
  const { t, day } = useSpeech();
  if (providers.length === 0 && identities.length === 0) return null;
  const nameOf = ({ provider, name }: Identity) =>
    name ?? memberships.find(({ organizationId }) => organizationId === provider)?.name ?? t.formerProvider;
  const others = providers.filter(({ key }) => !identities.some(({ provider }) => provider === key));
  return (
    <>
      <h2 class="part">{t.providers}</h2>
      <p class="hint">{t.providersAbout}</p>
      <ul class="rows">
        {identities.map((each) => (
          <li key={each.id}>
            <p>
              {nameOf(each)}, {t.linkedOn(day(each.createdAt))}
            </p>
            <button
              type="button"
              class="outlined"
              aria-label={`${t.takeAway}: ${nameOf(each)}`}
              onClick={() =>
                void attempt(
                  () => api.unlink(each.id),
                  (words) => words.providerGone,
                )
              }
            >
              {t.takeAway}
            </button>
          </li>
        ))}
      </ul>
      {others.length > 0 && (
        <p class="actions">
          {others.map(({ key, name }) => (
            <button
              key={key}
              type="button"
              class="outlined"
              onClick={() => void attempt(() => api.beginLink(key).then(leaveFor), undefined, true)}
            >
              {t.linkWith(name)}
            </button>
          ))}
        </p>
      )}
    </>
  );
}
