import { asObject, asText, requestJson } from "./http";

/** `/config.json`, written when the site is deployed: the same pages serve every environment. */
export interface SiteConfig {
  /** Both without a last slash. */
  readonly apiUrl: string;
  readonly logUrl: string;
  readonly stripeJsUrl: string;
  readonly publishableKey: string;
  /** A `pk_test_…` key means that no real money moves. */
  readonly isTestMode: boolean;
  /** Whose signatures these pages trust (c2sp.org/tlog-policy); empty where the deployment pins nobody. */
  readonly ledgerPolicy: string;
  /** Those of the log's keys that sign no more, each behind its last tree's size; they need not be trusted any more. */
  readonly ledgerFormerKeys: string;
  /** Whether sellers have pages here. */
  readonly hasSellerPortal: boolean;
}

export function loadConfig(): Promise<SiteConfig> {
  return requestJson("/config.json", (parsed) => {
    const config = asObject(parsed);
    return {
      apiUrl: asText(config["api_url"]).replace(/\/+$/, ""),
      logUrl: asText(config["log_url"]).replace(/\/+$/, ""),
      stripeJsUrl: asText(config["stripe_js_url"]),
      publishableKey: asText(config["publishable_key"]),
      isTestMode: asText(config["publishable_key"]).startsWith("pk_test_"),
      ledgerPolicy: asText(config["ledger_policy"] ?? ""),
      ledgerFormerKeys: asText(config["ledger_former_keys"] ?? ""),
      hasSellerPortal: config["data_seller_portal"] === "on",
    };
  });
}
