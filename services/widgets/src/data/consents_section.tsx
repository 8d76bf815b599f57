import type { Consents, DataApi, People } from "./data_api";
import { useDataSpeech } from "./language";
import { List, useListing } from "./listing";
import { Table } from "./table";

const BAR = 100;

/** How many donors let facts of their gifts be shared, month by month. */
export function ConsentsSection({ api }: { readonly api: DataApi }) {
  const { t } = useDataSpeech();
  const listing = useListing(() => api.consents());
  return (
    <section>
      <h2 class="part">{t.consents}</h2>
      <p class="about">{t.consentsAbout}</p>
      <List of={listing} empty={t.noConsents}>
        {(months) => <Months months={months} />}
      </List>
    </section>
  );
}

function Months({ months }: { readonly months: readonly Consents[] }) {
  const { t, month } = useDataSpeech();
  const numbers = [t.gave, t.ticked, t.withdrew].map((head) => ({ head, isNumber: true }));
  return (
    <Table caption={t.consents} columns={[{ head: t.month }, { head: t.rate }, ...numbers]}>
      <tbody>
        {months.map((each) => (
          <tr key={each.month}>
            <th scope="row">{month(each.month)}</th>
            <Rate gave={each.gave} ticked={each.ticked} />
            <Told people={each.gave} />
            <Told people={each.ticked} />
            <Told people={each.withdrew} />
          </tr>
        ))}
      </tbody>
    </Table>
  );
}

function Told({ people }: { readonly people: People }) {
  const { t, number } = useDataSpeech();
  if (people.said === "about") return <td class="number">{number(people.people)}</td>;
  return <td class="number">{people.said === "fewer" ? t.fewer : t.nearlyAll}</td>;
}

/** The share of those who ticked, where both numbers are told; the bar says the same to the eye alone. */
function Rate({ gave, ticked }: { readonly gave: People; readonly ticked: People }) {
  const { t, percent } = useDataSpeech();
  if (gave.said !== "about" || ticked.said !== "about") return <td>{t.unknown}</td>;
  const share = Math.min(ticked.people / gave.people, 1);
  return (
    <td class="rate">
      {percent(share)}
      <svg class="bar" viewBox={`0 0 ${BAR} 8`} preserveAspectRatio="none" aria-hidden="true">
        <rect class="whole" width={BAR} height={8} rx={4} />
        <rect class="part" width={share * BAR} height={8} rx={4} />
      </svg>
    </td>
  );
}
