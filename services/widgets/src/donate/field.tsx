import type { InputHTMLAttributes, Ref } from "preact";

interface FieldProps extends InputHTMLAttributes<HTMLInputElement> {
  readonly id: string;
  readonly label: string;
  readonly hint?: string;
  readonly fault: string | undefined;
  readonly suffix?: string;
  readonly inputRef: Ref<HTMLInputElement>;
}

/** A label, an input and, beside it, what is wrong with it, tied together for those who cannot see them stand together. */
export function FormField({ id, label, hint, fault, suffix, inputRef, required = true, ...input }: FieldProps) {
  const about = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(" ");
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <div class="input">
        <input
          {...input}
          ref={inputRef}
          id={id}
          name={id}
          required={required}
          aria-invalid={fault === undefined ? undefined : "true"}
          aria-describedby={about || undefined}
        />
        {suffix && (
          <span class="suffix" aria-hidden="true">
            {suffix}
          </span>
        )}
      </div>
      {fault && (
        <p class="fault" id={`${id}-fault`}>
          {fault}
        </p>
      )}
    </div>
  );
}
