import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

import { StepHeading } from "../site/step_heading";
import { useSpeech } from "./language";

interface ShownOnceProps {
  readonly title: string;
  readonly about: string;
  readonly secrets: readonly string[];
  /** What a file of them is called; none is offered without a name. */
  readonly file?: string;
  readonly kept: string;
  readonly onKept: () => void;
}

/** Secrets that nobody can show again, to be copied or kept as a file before they go. */
export function ShownOnce({ title, about, secrets, file, kept, onKept }: ShownOnceProps) {
  const { t } = useSpeech();
  const text = secrets.join("\n");
  return (
    <section class="once">
      <StepHeading>{title}</StepHeading>
      <p>{about}</p>
      <ul class="secrets">
        {secrets.map((secret) => (
          <li key={secret}>
            <code>{secret}</code>
          </li>
        ))}
      </ul>
      <Copying text={text}>
        {file !== undefined && (
          <button type="button" class="outlined" onClick={() => save(file, `${text}\n`)}>
            {t.download}
          </button>
        )}
        <button type="button" class="outlined" onClick={onKept}>
          {kept}
        </button>
      </Copying>
    </section>
  );
}

interface CopyingProps {
  readonly text: string;
  /** Of the button, where several stand on a page. */
  readonly about?: string;
  readonly children?: ComponentChildren;
}

/** A button that copies a text, among others. */
export function Copying({ text, about, children }: CopyingProps) {
  const { t } = useSpeech();
  const [said, setSaid] = useState<"" | "copied" | "notCopied">("");
  const copy = () =>
    navigator.clipboard.writeText(text).then(
      () => setSaid("copied"),
      () => setSaid("notCopied"),
    );
  return (
    <>
      <p class="actions">
        {/* Away from https there is no clipboard. */}
        {navigator.clipboard !== undefined && (
          <button
            type="button"
            class="outlined"
            aria-label={about === undefined ? undefined : `${t.copy}: ${about}`}
            onClick={() => void copy()}
          >
            {t.copy}
          </button>
        )}
        {children}
      </p>
      <p role="status" class="said">
        {said === "" ? "" : t[said]}
      </p>
    </>
  );
}

function save(name: string, text: string): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  Object.assign(document.createElement("a"), { href: url, download: name }).click();
  URL.revokeObjectURL(url);
}
