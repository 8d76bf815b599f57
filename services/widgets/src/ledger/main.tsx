import { start } from "../site/start";
import { LedgerPage } from "./ledger_page";

const asked = /^[0-9]{1,15}$/.exec(new URLSearchParams(location.search).get("entry") ?? "");

void start(({ logUrl }) => <LedgerPage logUrl={logUrl} asked={asked === null ? null : Number(asked[0])} />);
