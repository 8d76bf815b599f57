import { asObject, asText, requestJson } from "./http";

/** `/config.json`, written when the site is deployed: the same pages serve every environment. */
export interface SiteConfig {
  /** Both without a last slash. */
  readonly apiUrl: string;
  readonly logUrl: string;
  readonly stripeJsUrl: string;
  /** A `pk_test_…` key means that no real money moves. */
  readonly isTestMode: boolean;
  /** Whose signatures these pages trust (c2sp.org/tlog-policy); empty where the deployment pins nobody. */
  readonly ledgerPolicy: string;
}

export function loadConfig(): Promise<SiteConfig> {
  return requestJson("/config.json", (parsed) => {
    const config = asObject(parsed);
    return {
      apiUrl: asText(config["api_url"]).replace(/\/+$/, ""),
      logUrl: asText(config["log_url"]).replace(/\/+$/, ""),
      stripeJsUrl: asText(config["stripe_js_url"]),
      isTestMode: asText(config["publishable_key"]).startsWith("pk_test_"),
      ledgerPolicy: asText(config["ledger_policy"] ?? ""),
    };
  });
}
