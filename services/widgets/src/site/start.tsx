import { type ComponentChild, render } from "preact";

import { loadConfig, type SiteConfig } from "./config";
import { sentenceOf } from "./http";

/**
 * Replaces what `#app` holds with the page, or with one sentence when the site's configuration cannot be read; `worded` says it
 * in the page's language.
 */
export async function start(
  page: (config: SiteConfig) => ComponentChild | Promise<ComponentChild>,
  worded: (reason: unknown) => string = sentenceOf,
): Promise<void> {
  const target = document.getElementById("app")!;
  let shown: ComponentChild;
  try {
    shown = await page(await loadConfig());
  } catch (fault) {
    shown = (
      <p class="fault" role="alert">
        {worded(fault)}
      </p>
    );
  }
  target.replaceChildren();
  render(shown, target);
}
