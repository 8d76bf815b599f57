import { useMemo } from "preact/hooks";
import { ActionResult } from "../account/action_result";
import { Asking } from "../account/asking";
import { type Attempt, useAttempts } from "../account/confirming";
import { Told, useSpeech } from "../account/language";
import { Part } from "../account/part";
import type { CollectingApi, Fund, FundKind, FundSaid, SeenFund } from "./collecting_api";
import { DisclosureForm } from "./disclosure_form";
import { FundForm } from "./fund_form";
import { namesOfOthers, namesTaken } from "./project_draft";
import type { CollectingParts } from "./projects_part";
import { type Keeping, unlessChanged } from "./saving";
import { useUntilClosed } from "./use_until_closed";
import { VersionedForm } from "./versioned_form";

/** What donors can give for besides: funds that no project has. */
export function FundsPart({ projects, funds, ...parts }: CollectingParts) {
  const { t } = useSpeech();
  const ofProjects = new Set(projects.map(({ fundId }) => fundId));
  const shown = funds.filter(({ id }) => !ofProjects.has(id));
  const taken = useMemo(() => namesTaken(funds, projects), [funds, projects]);
  return (
    <Part {...parts} title={t.fundsTitle} about={t.fundsAbout} saysBelow>
      {(attempt) => (
        <>
          {shown.length === 0 && <p>{t.noFunds}</p>}
          {shown.length > 0 && (
            <ul class="rows">
              {shown.map((fund) => (
                <FundRow key={fund.id} {...parts} of={fund} taken={taken} />
              ))}
            </ul>
          )}
          <NewFund {...parts} attempt={attempt} taken={taken} />
        </>
      )}
    </Part>
  );
}

interface NewFundProps extends Pick<CollectingParts, "collecting" | "look"> {
  readonly attempt: Attempt;
  readonly taken: ReadonlySet<string>;
}

function NewFund({ collecting, look, attempt, taken }: NewFundProps) {
  const { t } = useSpeech();
  const make = async (name: string, kind: FundKind) => {
    const { said } = await collecting.makeFund(name, kind);
    if (said.isOpen) return;
    // One of this name was there, and is closed.
    await look();
    throw new Told((words) => words.nameTaken);
  };
  return (
    <div class="actions">
      <DisclosureForm action={t.makeFund} title={t.makeFund} attempt={attempt} load={() => Promise.resolve({})}>
        {(_, close) => (
          <FundForm
            prefix="fund-"
            name=""
            asksKind
            taken={taken}
            action={t.makeFundNow}
            onSave={(name, kind, guard) =>
              attempt(
                () => guard(() => make(name, kind)).then(close),
                (words) => words.fundMade,
              )
            }
            onLeave={close}
          />
        )}
      </DisclosureForm>
    </div>
  );
}

interface FundRowProps extends Omit<CollectingParts, "projects" | "funds"> {
  readonly of: Fund;
  readonly taken: ReadonlySet<string>;
}

function FundRow({ of: { id, kind, said }, taken, ...parts }: FundRowProps) {
  const { t } = useSpeech();
  const { attempt, ...became } = useAttempts(parts.look);
  const { name, isOffered, onOpen } = useUntilClosed(!said.isOpen);
  const takenByOthers = useMemo(() => namesOfOthers(taken, said.name), [taken, said.name]);
  const keeping = useMemo(() => fundKeeping(parts.collecting, id), [parts.collecting, id]);
  const close = () =>
    unlessChanged(keeping, said, () => parts.collecting.closeFund(id)).catch(async (reason: unknown) => {
      await parts.look();
      throw reason;
    });
  return (
    <li class={said.isOpen ? undefined : "about"}>
      <p ref={name} tabIndex={-1}>
        <strong>{said.name}</strong>
      </p>
      <p class="about">{[t.fundKinds[kind], said.isOpen ? t.takesGifts : t.closed].join(" · ")}</p>
      {isOffered && (
        <div class="actions">
          <DisclosureForm
            action={t.rename}
            about={said.name}
            title={t.renameFund}
            attempt={attempt}
            load={keeping.look}
            onOpen={onOpen}
          >
            {(seen, done) => (
              <VersionedForm
                of={seen}
                keeping={keeping}
                attempt={attempt}
                saved={(words) => words.fundRenamed}
                onSaved={done}
              >
                {({ base, isAnew, onSave }) => (
                  <FundForm
                    prefix={`${id}-`}
                    name={base.said.name}
                    taken={takenByOthers}
                    action={t.saveName}
                    isAnew={isAnew}
                    onSave={(renamed, _, guard) => onSave({ ...base.said, name: renamed }, guard)}
                    onLeave={done}
                  />
                )}
              </VersionedForm>
            )}
          </DisclosureForm>
          {said.isOpen && (
            <Asking
              action={t.close}
              about={said.name}
              sentence={t.endingAbout}
              yes={t.closeFundNow}
              no={t.leaveIt}
              onYes={() => void attempt(close, (words) => words.fundIsClosed)}
            />
          )}
        </div>
      )}
      <ActionResult {...became} {...parts} />
    </li>
  );
}

function fundKeeping(collecting: CollectingApi, id: string): Keeping<FundSaid, SeenFund> {
  return {
    look: () => collecting.fund(id),
    change: ({ name }, version) => collecting.renameFund(id, name, version),
    differing: (one, other) => [
      ...(one.name === other.name ? [] : [(t: { fundFields: { name: string } }) => t.fundFields.name]),
      ...(one.isOpen === other.isOpen ? [] : [(t: { fundFields: { isOpen: string } }) => t.fundFields.isOpen]),
    ],
  };
}
