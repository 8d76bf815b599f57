import { useState } from "preact/hooks";

import { FormField } from "../donate/field";
import { useOneAtATime } from "../site/one_at_a_time";
import { useSpeech } from "./language";
import type { PlansApi } from "./plans_api";

/** Asks for a link. What it answers is the same for every address. */
export function LinkForm({ api }: { api: PlansApi }) {
  const { t, language, fault: worded } = useSpeech();
  const [email, setEmail] = useState("");
  const [fault, setFault] = useState<string | undefined>();
  const [isAsked, setAsked] = useState(false);
  const once = useOneAtATime();
  const submit = once(async () => {
    setFault(undefined);
    if (!/^[^\s@]+@[^\s@]+$/.test(email.trim())) return setFault(t.emailFault);
    await api.askForLink(email.trim(), language).then(
      () => setAsked(true),
      (reason: unknown) => setFault(worded(reason)),
    );
  });
  if (isAsked) return <p role="status">{t.asked}</p>;
  return (
    <form noValidate onSubmit={submit}>
      <p>{t.askIntro}</p>
      <FormField
        id="email"
        label={t.email}
        type="email"
        autocomplete="email"
        maxLength={254}
        value={email}
        fault={fault}
        inputRef={null}
        onInput={(event) => setEmail(event.currentTarget.value)}
      />
      <button type="submit" class="primary">
        {t.askButton}
      </button>
    </form>
  );
}
