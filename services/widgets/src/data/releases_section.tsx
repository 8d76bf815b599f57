import { useState } from "preact/hooks";

import { useOneAtATime } from "../site/one_at_a_time";
import { CertificatePart } from "./certificate_part";
import type { Certificate, DataApi, Dataset, Release } from "./data_api";
import { useDataSpeech } from "./language";
import { List, NotRead, useListing } from "./listing";
import { Table } from "./table";

interface Shown {
  readonly number: number;
  /** Null where it is not there any more. */
  readonly certificate: Certificate | null;
}

/** The releases of a dataset, and the certificate of the one that was asked for. */
export function ReleasesSection({ api, dataset }: { readonly api: DataApi; readonly dataset: Dataset }) {
  const { t } = useDataSpeech();
  const listing = useListing((cursor) => api.releases(dataset.id, cursor));
  const [shown, setShown] = useState<Shown | null>(null);
  const [failed, setFailed] = useState<unknown>(null);
  const once = useOneAtATime();
  const show = (number: number) =>
    once(async () => {
      setFailed(null);
      setShown(null);
      await api.certificate(dataset.id, number).then((certificate) => setShown({ number, certificate }), setFailed);
    });
  return (
    <section>
      <h2 class="part">{t.releases}</h2>
      <p class="about">
        {dataset.title}. {t.releasesAbout}
      </p>
      <List of={listing} empty={t.noReleases}>
        {(releases) => <Releases releases={releases} onShow={show} />}
      </List>
      <NotRead failed={failed} />
      {shown !== null && <CertificatePart {...shown} onClose={() => setShown(null)} />}
    </section>
  );
}

interface ReleasesProps {
  readonly releases: readonly Release[];
  readonly onShow: (number: number) => (event: Event) => Promise<void>;
}

function Releases({ releases, onShow }: ReleasesProps) {
  const { t, day, number } = useDataSpeech();
  const columns = [
    { head: t.release },
    { head: t.releasedOn },
    { head: t.certificate },
    { head: t.rows, isNumber: true },
    { head: t.k, isNumber: true },
    { head: t.l, isNumber: true },
    { head: t.policy },
  ];
  return (
    <>
      <Table caption={t.releases} columns={columns}>
        <tbody>
          {releases.map((each) => (
            <tr key={each.number}>
              <th scope="row">{each.number}</th>
              <td>
                {day(each.releasedAt)}
                {each.withdrawnAt !== null && <span class="note"> · {t.withdrawnOn(day(each.withdrawnAt))}</span>}
              </td>
              <td>
                <button
                  type="button"
                  class="outlined"
                  aria-label={t.showCertificate(each.number)}
                  onClick={onShow(each.number)}
                >
                  {t.certificate}
                </button>
              </td>
              <td class="number">{number(each.rows)}</td>
              <td class="number">{number(each.k)}</td>
              <td class="number">{each.l === null ? t.unknown : number(each.l)}</td>
              <td>
                <code>{each.policy}</code>
              </td>
            </tr>
          ))}
        </tbody>
      </Table>
      <p class="about">
        {t.kMeans} {t.lMeans}
      </p>
    </>
  );
}
