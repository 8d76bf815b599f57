import { start } from "../site/start";
import { LedgerPage } from "./ledger_page";
import { trustFrom } from "./trust";

const asked = /^[0-9]{1,15}$/.exec(new URLSearchParams(location.search).get("entry") ?? "");

void start(async ({ logUrl, ledgerPolicy }) => (
  <LedgerPage logUrl={logUrl} trust={await trustFrom(ledgerPolicy)} asked={asked === null ? null : Number(asked[0])} />
));
