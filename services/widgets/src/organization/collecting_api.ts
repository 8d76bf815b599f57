import type { Money } from "../money";
import { asList, asObject, asText, request, requestJson, sending } from "../site/http";
import { type ProfileText, textFrom } from "./own_api";
import type { Seen } from "./saving";

export type ProjectState = "planned" | "active" | "completed" | "given_up";

/** Between these it goes to and fro; what is over stays so. */
export const OPEN_STATES = ["planned", "active"] as const satisfies readonly ProjectState[];

/** What an organisation says of something that it collects for. */
export interface ProjectSaid {
  readonly name: string;
  readonly goal: Money;
  readonly state: ProjectState;
  /** By language, those that the page does not speak included. */
  readonly texts: Readonly<Record<string, ProfileText>>;
}

export interface Project {
  readonly id: string;
  /** What its gifts are given through. */
  readonly fundId: string;
  /** Whether that takes gifts: it may be closed by itself. */
  readonly isOpen: boolean;
  readonly said: ProjectSaid;
}

export type SeenProject = Project & Seen<ProjectSaid>;

export type FundKind = "fund" | "campaign" | "project";

/** What can be chosen where no project is made. */
export const FUND_KINDS = ["fund", "campaign"] as const satisfies readonly FundKind[];

export interface FundSaid {
  readonly name: string;
  readonly isOpen: boolean;
}

export interface Fund {
  readonly id: string;
  readonly kind: FundKind;
  readonly said: FundSaid;
}

export type SeenFund = Fund & Seen<FundSaid>;

/** Projects and funds of one organisation, by the session of a member who may. Every method throws RequestFault. */
export class CollectingApi {
  readonly #url: string;

  constructor(apiUrl: string, organizationId: string) {
    this.#url = `${apiUrl}/v1/organisations/${encodeURIComponent(organizationId)}`;
  }

  projects(): Promise<readonly Project[]> {
    return this.#listed("/projects", projectFrom);
  }

  project(projectId: string): Promise<SeenProject> {
    return this.#versioned(`/projects/${encodeURIComponent(projectId)}`, projectFrom, { method: "GET" });
  }

  /** Where there is one of this name already, that one is the answer, and nothing is changed. */
  makeProject({ name, goal, texts }: ProjectSaid): Promise<SeenProject> {
    return this.#versioned("/projects", projectFrom, sending("POST", { name, goal: goalBody(goal), texts }));
  }

  /** `version`: of what the change was decided upon. */
  changeProject(projectId: string, { name, goal, state, texts }: ProjectSaid, version: string): Promise<SeenProject> {
    const change = sending("PATCH", { name, goal: goalBody(goal), state, texts }, { "If-Match": version });
    return this.#versioned(`/projects/${encodeURIComponent(projectId)}`, projectFrom, change);
  }

  funds(): Promise<readonly Fund[]> {
    return this.#listed("/funds", fundFrom);
  }

  fund(fundId: string): Promise<SeenFund> {
    return this.#versioned(`/funds/${encodeURIComponent(fundId)}`, fundFrom, { method: "GET" });
  }

  /** As of a project. */
  makeFund(name: string, kind: FundKind): Promise<SeenFund> {
    return this.#versioned("/funds", fundFrom, sending("POST", { name, kind }));
  }

  renameFund(fundId: string, name: string, version: string): Promise<SeenFund> {
    return this.#versioned(
      `/funds/${encodeURIComponent(fundId)}`,
      fundFrom,
      sending("PATCH", { name }, { "If-Match": version }),
    );
  }

  async closeFund(fundId: string): Promise<void> {
    await this.#ask(`/funds/${encodeURIComponent(fundId)}/close`, { method: "POST" });
  }

  #listed<Of>(path: string, decode: (parsed: unknown) => Of): Promise<readonly Of[]> {
    const all = (parsed: unknown) => asList(asObject(parsed)["data"]).map(decode);
    return requestJson(`${this.#url}${path}`, all, { credentials: "include" });
  }

  async #versioned<Of>(
    path: string,
    decode: (parsed: unknown) => Of,
    init: RequestInit,
  ): Promise<Of & { version: string }> {
    const answer = await this.#ask(path, init);
    return { ...decode(await answer.json()), version: answer.headers.get("ETag") ?? "" };
  }

  #ask(path: string, init: RequestInit): Promise<Response> {
    return request(`${this.#url}${path}`, { credentials: "include", ...init });
  }
}

function goalBody({ minorUnits, currency }: Money) {
  return { minor_units: String(minorUnits), currency };
}

function projectFrom(parsed: unknown): Project {
  const found = asObject(parsed);
  const goal = asObject(found["goal"]);
  const fund = asObject(found["fund"]);
  const texts = Object.entries(asObject(found["texts"])).map(([language, text]) => [language, textFrom(text)] as const);
  return {
    id: asText(found["id"]),
    fundId: asText(fund["id"]),
    isOpen: fund["is_open"] === true,
    said: {
      name: asText(found["name"]),
      goal: { minorUnits: BigInt(asText(goal["minor_units"])), currency: asText(goal["currency"]) },
      state: asText(found["state"]) as ProjectState,
      texts: Object.fromEntries(texts),
    },
  };
}

function fundFrom(parsed: unknown): Fund {
  const { id, name, kind, is_open } = asObject(parsed);
  return { id: asText(id), kind: asText(kind) as FundKind, said: { name: asText(name), isOpen: is_open === true } };
}
