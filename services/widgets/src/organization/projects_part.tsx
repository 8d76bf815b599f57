import { useMemo } from "preact/hooks";
import { ActionResult } from "../account/action_result";
import { Asking } from "../account/asking";
import { type Attempt, useAttempts } from "../account/confirming";
import { Told, useSpeech } from "../account/language";
import { Part } from "../account/part";
import type { CollectingApi, Fund, Project, ProjectSaid, ProjectState, SeenProject } from "./collecting_api";
import { DisclosureForm } from "./disclosure_form";
import type { Parts } from "./profile_part";
import { differingProject, namesOfOthers, namesTaken } from "./project_draft";
import { ProjectForm } from "./project_form";
import { type Keeping, unlessChanged } from "./saving";
import { useUntilClosed } from "./use_until_closed";
import { VersionedForm } from "./versioned_form";

/** What the parts about projects and funds work with. */
export interface CollectingParts extends Parts {
  readonly collecting: CollectingApi;
  readonly projects: readonly Project[];
  readonly funds: readonly Fund[];
}

/** What the organisation collects for, each with a goal. */
export function ProjectsPart({ projects, funds, ...parts }: CollectingParts) {
  const { t } = useSpeech();
  const taken = useMemo(() => namesTaken(funds, projects), [funds, projects]);
  return (
    <Part {...parts} title={t.projectsTitle} about={t.projectsAbout} saysBelow>
      {(attempt) => (
        <>
          {projects.length === 0 && <p>{t.noProjects}</p>}
          {projects.length > 0 && (
            <ul class="rows">
              {projects.map((project) => (
                <ProjectRow key={project.id} {...parts} of={project} taken={taken} />
              ))}
            </ul>
          )}
          <NewProject {...parts} attempt={attempt} taken={taken} />
        </>
      )}
    </Part>
  );
}

interface NewProjectProps extends Pick<CollectingParts, "collecting" | "look"> {
  readonly attempt: Attempt;
  readonly taken: ReadonlySet<string>;
}

function NewProject({ collecting, look, attempt, taken }: NewProjectProps) {
  const { t } = useSpeech();
  const make = async (said: ProjectSaid) => {
    const { said: made } = await collecting.makeProject(said);
    if (differingProject(made, said).length === 0) return;
    // Somebody else made one of this name meanwhile, which stays as it is.
    await look();
    throw new Told((words) => words.projectWasThere);
  };
  return (
    <div class="actions">
      <DisclosureForm action={t.makeProject} title={t.makeProject} attempt={attempt} load={() => Promise.resolve({})}>
        {(_, close) => (
          <ProjectForm
            prefix="project-"
            said={null}
            taken={taken}
            action={t.makeProjectNow}
            onSave={(said, guard) =>
              attempt(
                () => guard(() => make(said)).then(close),
                (words) => words.projectMade,
              )
            }
            onLeave={close}
          />
        )}
      </DisclosureForm>
    </div>
  );
}

interface ProjectRowProps extends Omit<CollectingParts, "projects" | "funds"> {
  readonly of: Project;
  readonly taken: ReadonlySet<string>;
}

function ProjectRow({ of: { id, isOpen, said }, taken, ...parts }: ProjectRowProps) {
  const { t, language, money } = useSpeech();
  const { attempt, ...became } = useAttempts(parts.look);
  const isOver = isOverIn(said.state);
  const facts = [
    t.projectStates[said.state],
    t.goalOf(money(said.goal)),
    ...(isOver || isOpen ? [] : [t.takesNoGifts]),
  ];
  const { name, isOffered, onOpen } = useUntilClosed(isOver);
  const takenByOthers = useMemo(() => namesOfOthers(taken, said.name), [taken, said.name]);
  const keeping = projectKeeping(parts.collecting, id, parts.look);
  const end = (state: ProjectState) => {
    const work = () =>
      unlessChanged(keeping, said, (now) => keeping.change({ ...now.said, state }, now.version)).catch(
        async (reason: unknown) => {
          await parts.look();
          throw reason;
        },
      );
    return attempt(work, (words) => words.projectEnded);
  };
  return (
    <li class={isOver ? "about" : undefined}>
      <p ref={name} tabIndex={-1}>
        <strong>{said.name}</strong>
      </p>
      <p class="about">{facts.join(" · ")}</p>
      {said.texts[language] !== undefined && <p class="about">{said.texts[language].tagline}</p>}
      {isOffered && (
        <div class="actions">
          <DisclosureForm
            action={t.change}
            about={said.name}
            title={t.changeProject}
            attempt={attempt}
            load={keeping.look}
            onOpen={onOpen}
          >
            {(seen, close) => (
              <VersionedForm
                of={seen}
                keeping={keeping}
                attempt={attempt}
                saved={(words) => words.projectSaved}
                onSaved={close}
              >
                {({ base, isAnew, onSave }) => (
                  <ProjectForm
                    prefix={`${id}-`}
                    said={base.said}
                    taken={takenByOthers}
                    action={t.saveProject}
                    isAnew={isAnew}
                    onSave={onSave}
                    onLeave={close}
                  />
                )}
              </VersionedForm>
            )}
          </DisclosureForm>
          {!isOver && (
            <Ending action={t.complete} yes={t.completeNow} name={said.name} onYes={() => void end("completed")} />
          )}
          {!isOver && (
            <Ending action={t.giveUp} yes={t.giveUpNow} name={said.name} onYes={() => void end("given_up")} />
          )}
        </div>
      )}
      <ActionResult {...became} {...parts} />
    </li>
  );
}

interface EndingProps {
  readonly action: string;
  readonly yes: string;
  readonly name: string;
  readonly onYes: () => void;
}

function Ending({ action, yes, name, onYes }: EndingProps) {
  const { t } = useSpeech();
  return <Asking action={action} about={name} sentence={t.endingAbout} yes={yes} no={t.leaveIt} onYes={onYes} />;
}

/** `lookAnew`: shows the page as it stands now, where this one is over. */
function projectKeeping(
  collecting: CollectingApi,
  id: string,
  lookAnew: () => Promise<void>,
): Keeping<ProjectSaid, SeenProject> {
  return {
    look: async () => {
      const seen = await collecting.project(id);
      if (!isOverIn(seen.said.state)) return seen;
      await lookAnew();
      throw new Told((t) => t.projectIsOver);
    },
    change: (said, version) => collecting.changeProject(id, said, version),
    differing: differingProject,
  };
}

function isOverIn(state: ProjectState): boolean {
  return state === "completed" || state === "given_up";
}
