import { useState } from "preact/hooks";

import type { DataApi, Dataset } from "./data_api";
import { useDataSpeech } from "./language";
import { List, useListing } from "./listing";
import { ReleasesSection } from "./releases_section";
import { Table } from "./table";
import { UsageSection } from "./usage_section";

/** The datasets, and of the one that is chosen its releases and who used it. */
export function DatasetsSection({ api }: { readonly api: DataApi }) {
  const { t } = useDataSpeech();
  const listing = useListing((cursor) => api.datasets(cursor));
  const [chosen, setChosen] = useState("");
  const all = listing.listed?.items ?? [];
  const dataset = all.find(({ id }) => id === chosen) ?? all[0];
  return (
    <>
      <section>
        <h2 class="part">{t.datasets}</h2>
        <p class="about">{t.datasetsAbout}</p>
        <List of={listing} empty={t.noDatasets}>
          {(datasets) => (
            <>
              <Datasets datasets={datasets} />
              <Refusals datasets={datasets} />
            </>
          )}
        </List>
        {all.length > 1 && dataset !== undefined && <Choice datasets={all} chosen={dataset.id} onChoose={setChosen} />}
      </section>
      {dataset !== undefined && (
        <>
          <ReleasesSection key={`releases ${dataset.id}`} api={api} dataset={dataset} />
          <UsageSection key={`usage ${dataset.id}`} api={api} dataset={dataset} />
        </>
      )}
    </>
  );
}

function Datasets({ datasets }: { readonly datasets: readonly Dataset[] }) {
  const { t } = useDataSpeech();
  return (
    <Table
      caption={t.datasets}
      columns={[{ head: t.dataset }, { head: t.last }, { head: t.newest, isNumber: true }, { head: t.state }]}
    >
      <tbody>
        {datasets.map((each) => (
          <tr key={each.id}>
            <th scope="row" class="title">
              {each.title} <code>{each.id}</code>
              {each.isShared && <span class="note"> {t.ofAll}</span>}
            </th>
            <td>{each.refused !== null ? t.wasRefused : each.latestRelease === null ? t.unknown : t.released}</td>
            <td class="number">{each.latestRelease ?? t.none}</td>
            <td>{each.isOpen === null ? t.unknown : each.isOpen ? t.open : t.closed}</td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

/** Why nothing was released the last time, of each dataset where that is so. */
function Refusals({ datasets }: { readonly datasets: readonly Dataset[] }) {
  const { t } = useDataSpeech();
  return (
    <>
      {datasets.map(
        ({ id, title, refused }) =>
          refused !== null && (
            <p key={id} class="notice">
              <strong>{title}</strong> – {t.refused(refused)}
            </p>
          ),
      )}
    </>
  );
}

interface ChoiceProps {
  readonly datasets: readonly Dataset[];
  readonly chosen: string;
  readonly onChoose: (id: string) => void;
}

function Choice({ datasets, chosen, onChoose }: ChoiceProps) {
  const { t } = useDataSpeech();
  return (
    <div class="field">
      <label for="dataset">{t.whichDataset}</label>
      <div class="input">
        <select id="dataset" value={chosen} onChange={(event) => onChoose(event.currentTarget.value)}>
          {datasets.map(({ id, title }) => (
            <option key={id} value={id}>
              {title}
            </option>
          ))}
        </select>
      </div>
    </div>
  );
}
