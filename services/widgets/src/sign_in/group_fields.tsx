import { useLayoutEffect, useRef } from "preact/hooks";

import { useSpeech } from "../account/language";
import { GIVEN_ROLES } from "./sign_in_api";

/** A line of the list; `key` stays while it is typed in. */
export interface Group {
  readonly key: number;
  readonly name: string;
  readonly role: string;
}

const LINES_MAX = 100;

export function rowsOf(groupRoles: Readonly<Record<string, string>>): readonly Group[] {
  return Object.entries(groupRoles).map(([name, role], key) => ({ key, name, role }));
}

/** Lines without a name say nothing. */
export function rolesOf(groups: readonly Group[]): Readonly<Record<string, string>> {
  return Object.fromEntries(
    groups.filter(({ name }) => name.trim() !== "").map(({ name, role }) => [name.trim(), role]),
  );
}

/** Lines whose group stands in a line above, by their keys: only one of the two could be meant. */
export function namedTwice(groups: readonly Group[]): ReadonlySet<number> {
  const names = groups.map(({ name }) => name.trim());
  return new Set(groups.filter((_, at) => names[at] !== "" && names.indexOf(names[at]!) < at).map(({ key }) => key));
}

interface GroupFieldsProps {
  readonly groups: readonly Group[];
  readonly onChange: (groups: readonly Group[]) => void;
}

/** Groups of the provider's, and what their members are here. */
export function GroupFields({ groups, onChange }: GroupFieldsProps) {
  const { t } = useSpeech();
  const list = useRef<HTMLUListElement>(null);
  const added = useRef(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: the line that was added is there once there is one more
  useLayoutEffect(() => {
    if (added.current) list.current?.querySelector<HTMLInputElement>("li:last-child input")?.focus();
    added.current = false;
  }, [groups.length]);
  const twice = namedTwice(groups);
  const change = (changed: Group) => onChange(groups.map((group) => (group.key === changed.key ? changed : group)));
  const add = () => {
    added.current = true;
    onChange([...groups, { key: 1 + Math.max(-1, ...groups.map(({ key }) => key)), name: "", role: "viewer" }]);
  };
  return (
    <fieldset class="field">
      <legend>{t.groups}</legend>
      <p class="hint">{t.groupsAbout}</p>
      <ul class="rows pairs" ref={list}>
        {groups.map((group, at) => (
          <li key={group.key}>
            <div class="input">
              <input
                aria-label={t.groupName(at + 1)}
                aria-invalid={twice.has(group.key) ? "true" : undefined}
                aria-describedby={twice.has(group.key) ? `group-fault-${group.key}` : undefined}
                value={group.name}
                maxLength={200}
                autocomplete="off"
                onInput={(event) => change({ ...group, name: event.currentTarget.value })}
              />
            </div>
            <RoleChoice
              label={t.groupRole(at + 1)}
              value={group.role}
              onChange={(role) => change({ ...group, role })}
            />
            <button
              type="button"
              class="outlined"
              aria-label={`${t.takeAway}: ${group.name || t.groupName(at + 1)}`}
              onClick={() => onChange(groups.filter(({ key }) => key !== group.key))}
            >
              {t.takeAway}
            </button>
            {twice.has(group.key) && (
              <p class="fault" id={`group-fault-${group.key}`}>
                {t.groupTwice(group.name.trim())}
              </p>
            )}
          </li>
        ))}
      </ul>
      {groups.length < LINES_MAX && (
        <button type="button" class="outlined" onClick={add}>
          {t.addGroup}
        </button>
      )}
    </fieldset>
  );
}

interface RoleChoiceProps {
  readonly id?: string;
  readonly label?: string;
  readonly value: string;
  /** What no role is called, where there may be none. */
  readonly none?: string;
  readonly onChange: (role: string) => void;
}

export function RoleChoice({ id, label, value, none, onChange }: RoleChoiceProps) {
  const { t } = useSpeech();
  return (
    <div class="input">
      <select id={id} aria-label={label} value={value} onChange={(event) => onChange(event.currentTarget.value)}>
        {none !== undefined && <option value="">{none}</option>}
        {GIVEN_ROLES.map((role) => (
          <option key={role} value={role}>
            {t.roles[role]}
          </option>
        ))}
      </select>
    </div>
  );
}
