import { start } from "../site/start";
import { LedgerPage } from "./ledger_page";
import { trustFrom } from "./trust";

const asked = /^[0-9]{1,18}$/.exec(new URLSearchParams(location.search).get("entry") ?? "");

void start(async ({ logUrl, ledgerPolicy, ledgerFormerKeys }) => (
  <LedgerPage
    logUrl={logUrl}
    trust={await trustFrom(ledgerPolicy, ledgerFormerKeys)}
    asked={asked === null ? null : BigInt(asked[0])}
  />
));
