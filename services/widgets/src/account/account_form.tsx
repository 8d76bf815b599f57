import type { ComponentChildren, Ref } from "preact";
import { useState } from "preact/hooks";

import { FormField } from "../donate/field";
import { useOneAtATime } from "../site/one_at_a_time";
import { Failure } from "./failure";
import type { Texts } from "./texts/en";

export interface Asked {
  readonly name: string;
  readonly label: string;
  readonly type?: "email" | "password" | "text";
  readonly autocomplete: string;
  readonly hint?: string;
  readonly inputMode?: "numeric";
  readonly maxLength?: number;
  /** What it is, where it cannot be another one. */
  readonly value?: string;
  readonly readOnly?: boolean;
  readonly inputRef?: Ref<HTMLInputElement>;
}

interface AccountFormProps {
  readonly asks: readonly Asked[];
  readonly action: string;
  /** What goes wrong is said above the button. */
  readonly onSubmit: (values: Readonly<Record<string, string>>, form: HTMLFormElement) => Promise<void>;
  readonly children?: ComponentChildren;
}

/** Some fields and one button. */
export function AccountForm({ asks, action, onSubmit, children }: AccountFormProps) {
  const [failed, setFailed] = useState<unknown>(null);
  const once = useOneAtATime();
  const submit = (event: Event) => {
    const form = event.currentTarget as HTMLFormElement;
    const values = Object.fromEntries(new FormData(form).entries());
    return once(async () => {
      setFailed(null);
      await onSubmit(values as Record<string, string>, form).catch(setFailed);
    })(event);
  };
  return (
    <form onSubmit={submit}>
      {asks.map(({ name, type = "text", ...about }) => (
        <FormField key={name} id={name} type={type} fault={undefined} {...about} />
      ))}
      {children}
      <Failure of={failed} />
      <button type="submit" class="primary">
        {action}
      </button>
    </form>
  );
}

/** `known`: it has to be this one; password managers look for a name beside a password. */
export function emailAsked({ email }: Texts, known?: string): Asked {
  const asked: Asked = { name: "email", label: email, type: "email", autocomplete: "username" };
  return known === undefined ? asked : { ...asked, value: known, readOnly: true };
}

export function passwordAsked({ password }: Texts): Asked {
  return { name: "password", label: password, type: "password", autocomplete: "current-password" };
}

export function newPasswordAsked({ newPassword, passwordHint }: Texts): Asked {
  return { name: "password", label: newPassword, type: "password", autocomplete: "new-password", hint: passwordHint };
}

export function codeAsked({ code }: Texts): Asked {
  return { name: "code", label: code, autocomplete: "one-time-code" };
}
