import type { Money } from "../money";
import type { SiteConfig } from "../site/config";
import type { DataApi, Share } from "./data_api";
import { useDataSpeech } from "./language";
import { List, useListing } from "./listing";
import { Table } from "./table";

interface RevenueSectionProps {
  readonly config: SiteConfig;
  readonly api: DataApi;
  readonly isTheirs: boolean;
}

/** What data brought: each line leads to its entry in the public log. */
export function RevenueSection({ config, api, isTheirs }: RevenueSectionProps) {
  const { t } = useDataSpeech();
  return (
    <section>
      <h2 class="part">{t.revenue}</h2>
      {isTheirs ? <Revenue config={config} api={api} /> : <p>{t.revenueNotYours}</p>}
    </section>
  );
}

function Revenue({ config, api }: Omit<RevenueSectionProps, "isTheirs">) {
  const { t } = useDataSpeech();
  const listing = useListing((cursor) => api.revenue(cursor));
  return (
    <>
      <p class="about">{t.revenueAbout}</p>
      <List of={listing} empty={t.noRevenue}>
        {(shares, isWhole) => (
          <>
            <Shares shares={shares} isWhole={isWhole} />
            <h3>{t.howToCheck}</h3>
            <p>{t.checkEntry}</p>
            <pre>
              <code>{`amply-verify entry ENTRY --api ${config.apiUrl} --log ${new URL(config.logUrl, location.href).href} --key log-key.txt`}</code>
            </pre>
          </>
        )}
      </List>
    </>
  );
}

function Shares({ shares, isWhole }: { readonly shares: readonly Share[]; readonly isWhole: boolean }) {
  const { t, month, money } = useDataSpeech();
  const periods = [...new Set(shares.map(({ period }) => period))];
  const columns = [{ head: t.month }, { head: t.dataset }, { head: t.amount, isNumber: true }, { head: t.inLedger }];
  return (
    <Table caption={t.revenue} columns={columns}>
      {periods.map((period, place) => {
        const lines = shares.filter((share) => share.period === period);
        // Of a month that goes on on the next page nothing is summed up.
        const sums = isWhole || place < periods.length - 1 ? sumsOf(lines) : [];
        return (
          <tbody key={period}>
            {lines.map((share) => (
              <Line key={share.transferId} share={share} />
            ))}
            {lines.length > 1 &&
              sums.map((sum) => (
                <tr key={sum.currency} class="sum">
                  <th scope="row" colSpan={2}>
                    {t.sum(month(period))}
                  </th>
                  <td class="number">{money(sum)}</td>
                  <td />
                </tr>
              ))}
          </tbody>
        );
      })}
    </Table>
  );
}

function Line({ share }: { readonly share: Share }) {
  const { t, month, money } = useDataSpeech();
  return (
    <tr>
      <th scope="row">{month(share.period)}</th>
      <td>
        <code>{share.datasetId}</code>
      </td>
      <td class="number">{money(share.amount)}</td>
      <td>
        {share.index === null ? t.notPublished : <a href={`/ledger/?entry=${share.index}`}>{t.entry(share.index)}</a>}{" "}
        <code>{share.entryId}</code>
      </td>
    </tr>
  );
}

/** One for each currency: amounts of several are not added. */
function sumsOf(shares: readonly Share[]): readonly Money[] {
  const sums = new Map<string, bigint>();
  for (const { amount } of shares) sums.set(amount.currency, (sums.get(amount.currency) ?? 0n) + amount.minorUnits);
  return [...sums].map(([currency, minorUnits]) => ({ currency, minorUnits }));
}
