import { useEffect, useState } from "preact/hooks";

import { donationUrl } from "../address";
import { sentenceOf } from "../site/http";
import { useOnMount } from "../site/use_on_mount";

declare module "preact" {
  namespace JSX {
    interface IntrinsicElements {
      "amply-button": HTMLAttributes<HTMLElement> & {
        organization: string;
        amount?: string;
        currency?: string;
        label?: string;
        target?: string;
      };
    }
  }
}

const GIFT = { minorUnits: 2500n, currency: "EUR" };

interface Script {
  readonly src: string;
  readonly integrity: string;
}

interface DemoPageProps {
  readonly script: Script;
  readonly findOrganization: () => Promise<string | null>;
}

export function DemoPage({ script, findOrganization }: DemoPageProps) {
  const [organization, setOrganization] = useState<string | null>(null);
  const [problem, setProblem] = useState("");
  useOnMount(() => {
    findOrganization().then(
      (found) => (found === null ? setProblem("No organisation takes donations here yet.") : setOrganization(found)),
      (fault: unknown) => setProblem(sentenceOf(fault)),
    );
  });
  if (organization === null) {
    return <p role="status">{problem || "Looking for an organisation to give to…"}</p>;
  }
  return <Demonstration script={script} organization={organization} />;
}

function Demonstration({ script, organization }: { script: Script; organization: string }) {
  const [events, setEvents] = useState<readonly string[]>([]);
  useEffect(() => {
    const note = ({ type }: Event) => setEvents((before) => [...before, type]);
    const names = ["amply:opened", "amply:error"];
    for (const name of names) document.addEventListener(name, note);
    return () => {
      for (const name of names) document.removeEventListener(name, note);
    };
  }, []);
  const fallback = donationUrl(new URL("/", location.href), {
    organization,
    amount: GIFT,
    currency: GIFT.currency,
    returnTo: null,
  });
  const units = GIFT.minorUnits.toString();
  return (
    <>
      <div class="showcase">
        <amply-button organization={organization} amount={units} currency={GIFT.currency}>
          <a href={fallback}>Donate</a>
        </amply-button>
        <amply-button class="coral" organization={organization} label="Choose an amount" target="_blank">
          <a href={fallback}>Donate</a>
        </amply-button>
      </div>
      {events.length > 0 && <p role="status">Heard: {events.join(", ")}</p>}
      <h2>Put it on your page</h2>
      <Snippet text={snippet(script, organization, fallback)} />
    </>
  );
}

function Snippet({ text }: { text: string }) {
  const [isCopied, setCopied] = useState(false);
  const copy = () => void navigator.clipboard.writeText(text).then(() => setCopied(true));
  return (
    <>
      {/* biome-ignore lint/a11y/useSemanticElements: a section in its place would keep no lines */}
      {/* biome-ignore lint/a11y/noNoninteractiveTabindex: whoever cannot point at it scrolls it with the arrow keys */}
      <pre tabIndex={0} role="region" aria-label="Embed snippet">
        <code>{text}</code>
      </pre>
      <button type="button" class="outlined" onClick={copy}>
        Copy the snippet
      </button>
      <span role="status">{isCopied && "Copied."}</span>
    </>
  );
}

function snippet({ src, integrity }: Script, organization: string, fallback: string): string {
  const link = fallback.replaceAll("&", "&amp;");
  return [
    `<script src="${src}"`,
    `        integrity="${integrity}"`,
    `        crossorigin="anonymous" async></script>`,
    `<amply-button organization="${organization}" amount="${GIFT.minorUnits}" currency="${GIFT.currency}">`,
    `  <a href="${link}">Donate</a>`,
    `</amply-button>`,
  ].join("\n");
}
