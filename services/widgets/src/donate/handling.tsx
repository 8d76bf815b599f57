import { render } from "preact";
import { useEffect } from "preact/hooks";

import type { Speech } from "./language";

/** What stands beside the form, which the page's own file has in English for those who come without scripts. */
export function Handling({ speech }: { speech: Speech }) {
  useEffect(() => document.querySelector(".aside")?.replaceChildren(), []);
  useEffect(() => {
    const aside = document.querySelector(".aside");
    if (aside === null) return;
    aside.setAttribute("aria-label", speech.t.handling);
    render(<How {...speech} />, aside);
  }, [speech]);
  return null;
}

function How({ t }: Speech) {
  return (
    <ul>
      <li>{t.givenDirectly}</li>
      <li>
        {t.writtenDown((words) => (
          <a href="/ledger/">{words}</a>
        ))}
      </li>
      <li>{t.provedByReceipt}</li>
    </ul>
  );
}
