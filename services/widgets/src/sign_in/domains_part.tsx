import { AccountForm } from "../account/account_form";
import { Asking } from "../account/asking";
import type { Attempt } from "../account/confirming";
import { momentIn, useSpeech } from "../account/language";
import { Part } from "../account/part";
import { Copying } from "../account/shown_once";
import type { Parts } from "./parts";
import type { Domain, SignInApi } from "./sign_in_api";

interface DomainsPartProps extends Parts {
  readonly domains: readonly Domain[];
}

/** The domains whose people are sent to the provider, and the records that show whose they are. */
export function DomainsPart({ domains, ...parts }: DomainsPartProps) {
  const { t } = useSpeech();
  return (
    <Part {...parts} title={t.domainsTitle} about={t.domainsAbout}>
      {(attempt) => (
        <>
          {domains.length === 0 && <p>{t.noDomains}</p>}
          <ul class="rows">
            {domains.map((domain) => (
              <DomainRow key={domain.domain} of={domain} signIn={parts.signIn} attempt={attempt} />
            ))}
          </ul>
          <AccountForm
            asks={[{ name: "domain", label: t.domain, hint: t.domainHint, autocomplete: "off", maxLength: 253 }]}
            action={t.addDomain}
            onSubmit={({ domain = "" }, form) =>
              attempt(
                async () => {
                  await parts.signIn.claim(domain);
                  form.reset();
                },
                (words) => words.domainAdded,
              )
            }
          />
        </>
      )}
    </Part>
  );
}

interface DomainRowProps {
  readonly of: Domain;
  readonly signIn: SignInApi;
  readonly attempt: Attempt;
}

function DomainRow({ of: domain, signIn, attempt }: DomainRowProps) {
  const { t, language } = useSpeech();
  const name = domain.domain;
  return (
    <li>
      <p>
        <strong>{name}</strong> · {domain.verifiedAt === null ? t.domainWaits : t.domainIsShown}
      </p>
      {domain.checkedAt !== null && <p class="about">{t.domainLooked(momentIn(language, domain.checkedAt))}</p>}
      <dl class="facts">
        <dt>{t.recordName}</dt>
        <dd>
          <code>{domain.recordName}</code>
        </dd>
        <dt>{t.recordType}</dt>
        <dd>
          <code>{domain.recordType}</code>
        </dd>
        <dt>{t.recordText}</dt>
        <dd>
          <code>{domain.recordText}</code>
        </dd>
      </dl>
      <Copying text={domain.recordText} about={`${t.recordText}, ${name}`}>
        <button
          type="button"
          class="outlined"
          aria-label={`${t.lookNow}: ${name}`}
          onClick={() =>
            void attempt(
              () => signIn.check(name),
              (words) => words.domainFound(name),
            )
          }
        >
          {t.lookNow}
        </button>
      </Copying>
      <div class="actions">
        <Asking
          action={t.takeAway}
          about={name}
          sentence={t.domainRemoveAbout(name)}
          yes={t.domainRemoveNow}
          no={t.leaveIt}
          onYes={() =>
            void attempt(
              () => signIn.removeDomain(name),
              (words) => words.domainGone,
            )
          }
        />
      </div>
    </li>
  );
}
