import type { ComponentChildren, InputHTMLAttributes, Ref, SelectHTMLAttributes, TextareaHTMLAttributes } from "preact";

interface Labelled {
  readonly id: string;
  readonly label: string;
  readonly hint?: string;
  readonly fault: string | undefined;
}

type FieldProps = Labelled &
  InputHTMLAttributes<HTMLInputElement> & { readonly suffix?: string; readonly inputRef?: Ref<HTMLInputElement> };

/** A label, an input and, beside it, what is wrong with it, tied together for those who cannot see them stand together. */
export function FormField({ id, label, hint = "", fault, suffix, inputRef, required = true, ...input }: FieldProps) {
  const tied = { id, name: id, ...describedBy(id, hint, fault) };
  return (
    <Frame {...{ id, label, hint, fault }}>
      <input {...input} {...tied} ref={inputRef ?? null} required={required} />
      {suffix && (
        <span class="suffix" aria-hidden="true">
          {suffix}
        </span>
      )}
    </Frame>
  );
}

/** The same for text of several lines. */
export function FormText({
  id,
  label,
  hint = "",
  fault,
  ...area
}: Labelled & TextareaHTMLAttributes<HTMLTextAreaElement>) {
  return (
    <Frame {...{ id, label, hint, fault }}>
      <textarea rows={3} {...area} id={id} name={id} {...describedBy(id, hint, fault)} />
    </Frame>
  );
}

/** The same for a choice of one; its options are the children. */
export function FormSelect({
  id,
  label,
  hint = "",
  fault,
  children,
  ...select
}: Labelled & SelectHTMLAttributes<HTMLSelectElement>) {
  return (
    <Frame {...{ id, label, hint, fault }}>
      <select {...select} id={id} name={id} {...describedBy(id, hint, fault)}>
        {children}
      </select>
    </Frame>
  );
}

function describedBy(id: string, hint: string, fault: string | undefined) {
  const about = [hint && `${id}-hint`, fault && `${id}-fault`].filter(Boolean).join(" ");
  return {
    "aria-invalid": fault === undefined ? undefined : ("true" as const),
    "aria-describedby": about || undefined,
  };
}

interface FrameProps extends Labelled {
  readonly children: ComponentChildren;
}

function Frame({ id, label, hint, fault, children }: FrameProps) {
  return (
    <div class="field">
      <label for={id}>{label}</label>
      {hint && (
        <p class="hint" id={`${id}-hint`}>
          {hint}
        </p>
      )}
      <div class="input">{children}</div>
      {fault && (
        <p class="fault" id={`${id}-fault`}>
          {fault}
        </p>
      )}
    </div>
  );
}
