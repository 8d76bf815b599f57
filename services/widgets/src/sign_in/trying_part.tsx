import { useSpeech } from "../account/language";
import { leaveFor } from "../account/outside";
import { Part } from "../account/part";
import type { Parts } from "./parts";
import type { Connection, Domain } from "./sign_in_api";

interface TryingPartProps extends Parts {
  readonly connection: Connection | null;
  readonly domains: readonly Domain[];
}

/** Signing in by it, as everybody will: from here to the provider, and back to the page of one's account. */
export function TryingPart({ connection, domains, ...parts }: TryingPartProps) {
  const { t, language } = useSpeech();
  const { api, organization } = parts;
  const leave = async () => {
    const address = await api.beginOutside(organization.organizationId, language, null);
    // Whoever comes back signed in would be linked, and not signed in as everybody is. Not before the provider has answered.
    await api.signOut(false);
    leaveFor(address);
  };
  const isReady = connection !== null && domains.some(({ verifiedAt }) => verifiedAt !== null);
  return (
    <Part {...parts} title={t.tryTitle} about={isReady ? t.tryAbout : t.tryNotYet}>
      {(attempt) =>
        isReady && (
          <p class="actions">
            <button type="button" class="outlined" onClick={() => void attempt(leave, undefined, true)}>
              {t.tryNow}
            </button>
          </p>
        )
      }
    </Part>
  );
}
