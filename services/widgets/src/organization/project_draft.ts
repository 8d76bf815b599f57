import { Told, type Words } from "../account/language";
import { type Money, parseAmount } from "../money";
import type { RequestFault } from "../site/http";
import type { Fund, Project, ProjectSaid, ProjectState } from "./collecting_api";
import type { FieldFaults } from "./refused";
import { halfSaidIn, lineOf, nameIn, textsIn, writtenTexts } from "./texts_draft";

const FIELDS = ["name", "goal", "state", "texts"] as const;

/** What a form was begun with: a project, or nothing yet. `prefix`: of its fields' names, since several may be open. */
export interface Begun {
  readonly prefix: string;
  readonly said: ProjectSaid | null;
  /** The goal as the form showed it. */
  readonly goal: string;
  /** Names that stand for something else already. */
  readonly taken: ReadonlySet<string>;
}

/** What stands in the form, or what is wrong with it, by field. */
export function projectIn(
  form: FormData,
  { prefix, said, goal: shown, taken }: Begun,
): ProjectSaid | { readonly faults: FieldFaults } {
  const name = nameIn(form, `${prefix}name`);
  const goal = goalIn(form, prefix, said?.goal ?? null, shown);
  const texts = textsIn(form, said?.texts ?? {}, prefix);
  const faults = new Map<string, Told>();
  if (name === "") faults.set(`${prefix}name`, new Told((t) => t.nameMissing));
  else if (name !== said?.name && taken.has(name)) faults.set(`${prefix}name`, new Told((t) => t.nameTaken));
  if (goal === null) faults.set(`${prefix}goal`, new Told((t) => t.goalForm));
  for (const field of halfSaidIn(texts, prefix)) faults.set(field, new Told((t) => t.halfSaid));
  if (goal === null || faults.size > 0) return { faults };
  return { name, goal, texts, state: (lineOf(form, `${prefix}state`) || "planned") as ProjectState };
}

function goalIn(form: FormData, prefix: string, before: Money | null, shown: string): Money | null {
  const [typed, currency] = [lineOf(form, `${prefix}goal`), lineOf(form, `${prefix}currency`)];
  // A program may have set one that is longer than what is read from a form.
  if (before !== null && typed === shown && currency === before.currency) return before;
  const read = parseAmount(typed, currency);
  return "fault" in read ? null : read;
}

/** The field that a problem of the API is about, without the prefix; or null. */
export function projectFieldOf({ code, param }: RequestFault): string | null {
  if (code === "fund_taken" || code === "fund_not_acceptable") return "name";
  if (code === "amount_not_acceptable" || code === "currency_not_supported" || param.includes("goal")) return "goal";
  const [, language, field] = /(?:^|\.)texts\.([a-z]{2})\.(tagline|about)$/.exec(param) ?? [];
  return language === undefined ? null : `${field}-${language}`;
}

/** What of a project two people have said differently. */
export function differingProject(one: ProjectSaid, other: ProjectSaid): readonly Words[] {
  return FIELDS.filter((field) => written(one, field) !== written(other, field)).map(
    (field) => (t) => t.projectFields[field],
  );
}

function written({ name, goal, state, texts }: ProjectSaid, field: (typeof FIELDS)[number]): string {
  const all = { name, state, goal: `${goal.minorUnits} ${goal.currency}`, texts: writtenTexts(texts) };
  return all[field];
}

/** Names that a new one cannot have; an open fund that was made for a project, and has none yet, waits for it. */
export function namesTaken(funds: readonly Fund[], projects: readonly Project[]): ReadonlySet<string> {
  const ofProjects = new Set(projects.map(({ fundId }) => fundId));
  const isTaken = ({ id, kind, said }: Fund) => kind !== "project" || !said.isOpen || ofProjects.has(id);
  return new Set(funds.filter(isTaken).map(({ said }) => said.name));
}

/** Those that are not the `own` of what is there: it may go back to the name it has. */
export function namesOfOthers(taken: ReadonlySet<string>, own: string): ReadonlySet<string> {
  return new Set([...taken].filter((name) => name !== own));
}
