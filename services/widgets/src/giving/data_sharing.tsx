import { useEffect, useState } from "preact/hooks";

import { useOneAtATime } from "../site/one_at_a_time";
import { Said } from "./gift_view";
import type { GiftsApi, SharingStanding } from "./gifts_api";
import { useSpeech } from "./language";

/** Whether facts of the donor's gifts are shared, and the way to say otherwise; nothing where no data is shared. */
export function DataSharingSection({ api }: { readonly api: GiftsApi }) {
  const { t, fault, language } = useSpeech();
  const [standings, setStandings] = useState<readonly SharingStanding[]>([]);
  const [said, setSaid] = useState({ sentence: "", isFault: false });
  const once = useOneAtATime();
  useEffect(() => {
    // What cannot be had is not shown: the gifts are what this page is for.
    api.dataSharing().then(setStandings, () => undefined);
  }, [api]);
  const decide = (standing: SharingStanding, shares: boolean) =>
    once(() =>
      api.changeDataSharing(standing, shares).then(
        (changed) => {
          setStandings(changed);
          setSaid({ sentence: shares ? t.sharingGiven : t.sharingWithdrawn, isFault: false });
        },
        (reason: unknown) => setSaid({ sentence: fault(reason), isFault: true }),
      ),
    );
  if (standings.length === 0 && said.sentence === "") return null;
  return (
    <section class="recipient" aria-labelledby="data-sharing">
      <h2 id="data-sharing">{t.sharing}</h2>
      {standings.map((standing) => (
        <div key={standing.purpose}>
          <p>{standing.texts[language]}</p>
          <p class="standing">{t.sharingExtent[standing.extent]}</p>
          <p class="actions">
            {standing.isOffered && standing.extent !== "all" && (
              <button type="button" class="outlined" onClick={decide(standing, true)}>
                {t.sharingGive}
              </button>
            )}
            {standing.extent !== "none" && (
              <button type="button" class="outlined" onClick={decide(standing, false)}>
                {t.sharingWithdraw}
              </button>
            )}
          </p>
        </div>
      ))}
      <Said {...said} />
    </section>
  );
}
