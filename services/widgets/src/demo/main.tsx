import { isOrganizationId } from "../address";
import { Api } from "../site/api";
import type { SiteConfig } from "../site/config";
import { start } from "../site/start";
import { DemoPage } from "./demo_page";

void start((config) => <DemoPage script={publishedScript()} findOrganization={() => findOrganization(config)} />);

/** The build writes the button's hashed path and integrity hash into the page, as the same script tag others embed. */
function publishedScript(): { src: string; integrity: string } {
  const { src, integrity } = document.querySelector<HTMLScriptElement>("script[data-amply-button]")!;
  return { src, integrity };
}

async function findOrganization({ apiUrl }: SiteConfig): Promise<string | null> {
  const asked = new URLSearchParams(location.search).get("org") ?? "";
  if (isOrganizationId(asked)) return asked;
  const [first] = await new Api(apiUrl).organizations();
  return first?.id ?? null;
}
