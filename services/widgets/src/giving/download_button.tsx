import { useState } from "preact/hooks";

import { useOneAtATime } from "../site/one_at_a_time";
import { DocumentFault, type GiftsApi, type WantedDocument } from "./gifts_api";
import { useSpeech } from "./language";

interface DownloadButtonProps {
  readonly api: GiftsApi;
  readonly wanted: WantedDocument;
  readonly label: string;
  /** What happened, for whoever hears the page rather than sees it. */
  readonly onSaid: (sentence: string, isFault: boolean) => void;
}

/** Asks for a document, waits for it, and lets the browser save it. */
export function DownloadButton({ api, wanted, label, onSaid }: DownloadButtonProps) {
  const { t, fault } = useSpeech();
  const [isBusy, setBusy] = useState(false);
  const once = useOneAtATime();
  const fetchIt = once(async () => {
    setBusy(true);
    onSaid(t.oneMoment, false);
    await api.document(wanted).then(
      ({ name, content }) => {
        save(name, content);
        onSaid(t.documentDone(name), false);
      },
      (reason: unknown) => onSaid(reason instanceof DocumentFault ? t.documentFailed : fault(reason), true),
    );
    setBusy(false);
  });
  return (
    <button type="button" class="outlined" aria-disabled={isBusy} onClick={fetchIt}>
      {label}
    </button>
  );
}

/** The link's token must not be in an address, so the file is fetched first and saved from memory. */
function save(name: string, content: Blob): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(content);
  link.download = name;
  link.click();
  // The browser reads it after this turn.
  setTimeout(() => URL.revokeObjectURL(link.href), 60_000);
}
