import type { ComponentChildren } from "preact";
import { useState } from "preact/hooks";

import { FormField } from "../donate/field";
import { sentenceOf } from "../site/http";
import { useOneAtATime } from "../site/one_at_a_time";

export interface Asked {
  readonly name: string;
  readonly label: string;
  readonly type?: "email" | "password" | "text";
  readonly autocomplete: string;
  readonly hint?: string;
}

interface AccountFormProps {
  readonly asks: readonly Asked[];
  readonly action: string;
  /** What goes wrong is said above the button. */
  readonly onSubmit: (values: Readonly<Record<string, string>>) => Promise<void>;
  readonly children?: ComponentChildren;
}

/** Some fields and one button. */
export function AccountForm({ asks, action, onSubmit, children }: AccountFormProps) {
  const [fault, setFault] = useState("");
  const once = useOneAtATime();
  const submit = (event: Event) => {
    const values = Object.fromEntries(new FormData(event.currentTarget as HTMLFormElement).entries());
    return once(async () => {
      setFault("");
      await onSubmit(values as Record<string, string>).catch((reason: unknown) => setFault(sentenceFor(reason)));
    })(event);
  };
  return (
    <form onSubmit={submit}>
      {asks.map(({ name, type = "text", ...about }) => (
        <FormField key={name} id={name} type={type} fault={undefined} {...about} />
      ))}
      {children}
      <p class="fault" role="alert">
        {fault}
      </p>
      <button type="submit" class="primary">
        {action}
      </button>
    </form>
  );
}

/** Browsers say with a DOMException that somebody changed their mind, or took too long. */
export function sentenceFor(reason: unknown): string {
  return reason instanceof DOMException ? "No passkey was used: try again, or go on another way." : sentenceOf(reason);
}

export const EMAIL: Asked = { name: "email", label: "E-mail address", type: "email", autocomplete: "username" };
export const PASSWORD: Asked = { name: "password", label: "Password", type: "password", autocomplete: "current-password" };
export const NEW_PASSWORD: Asked = {
  name: "password",
  label: "New password",
  type: "password",
  autocomplete: "new-password",
  hint: "12 characters or more, of any kind.",
};
export const CODE: Asked = {
  name: "code",
  label: "Code of your app, or a recovery code",
  autocomplete: "one-time-code",
};
