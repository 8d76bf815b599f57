import { type ComponentChild, render } from "preact";

import { loadConfig, type SiteConfig } from "./config";
import { sentenceOf } from "./http";

/** Replaces what `#app` holds with the page, or with one sentence when the site's configuration cannot be read. */
export async function start(page: (config: SiteConfig) => ComponentChild | Promise<ComponentChild>): Promise<void> {
  const target = document.getElementById("app")!;
  let shown: ComponentChild;
  try {
    shown = await page(await loadConfig());
  } catch (fault) {
    shown = (
      <p class="fault" role="alert">
        {sentenceOf(fault)}
      </p>
    );
  }
  target.replaceChildren();
  render(shown, target);
}
