import type { DataApi, Dataset, Use } from "./data_api";
import { useDataSpeech } from "./language";
import { List, useListing } from "./listing";
import { Table } from "./table";

/** How much of a dataset each contract was given, month by month. */
export function UsageSection({ api, dataset }: { readonly api: DataApi; readonly dataset: Dataset }) {
  const { t } = useDataSpeech();
  const listing = useListing((cursor) => api.usage(dataset.id, cursor));
  return (
    <section>
      <h2 class="part">{t.usage}</h2>
      <p class="about">
        {dataset.title}. {t.usageAbout}
      </p>
      <List of={listing} empty={t.noUsage}>
        {(uses) => <Uses uses={uses} />}
      </List>
    </section>
  );
}

function Uses({ uses }: { readonly uses: readonly Use[] }) {
  const { t, month, number, size } = useDataSpeech();
  const counted = [t.answers, t.files, t.size].map((head) => ({ head, isNumber: true }));
  return (
    <Table caption={t.usage} columns={[{ head: t.month }, { head: t.contract }, ...counted]}>
      <tbody>
        {uses.map((use) => (
          <tr key={`${use.month} ${use.contractId}`}>
            <th scope="row">{month(use.month)}</th>
            <td>
              <code>{use.contractId}</code>
            </td>
            <td class="number">{number(use.answers)}</td>
            <td class="number">{number(use.files)}</td>
            <td class="number">{size(use.bytes)}</td>
          </tr>
        ))}
      </tbody>
    </Table>
  );
}
