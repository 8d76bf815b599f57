import { useEffect, useMemo, useState } from "preact/hooks";

import { KeepersPage, type Kept } from "../account/keepers_page";
import { KEEPERS, SHOWING } from "../account/roles";
import { useSpeech, wordsOf } from "../account/language";
import type { SiteConfig } from "../site/config";
import { CollectingApi, type Fund, type Project } from "./collecting_api";
import { FundsPart } from "./funds_part";
import { type Image, KINDS, OwnApi, type Profile } from "./own_api";
import { PicturePart } from "./picture_part";
import { ProfilePart, ProfileShown } from "./profile_part";
import { ProjectsPart } from "./projects_part";

interface OrganizationPageProps {
  readonly config: SiteConfig;
  /** The organisation that a link asks for, or empty. */
  readonly asked: string;
}

/** What an organisation shows of itself, for members who look after that. */
export function OrganizationPage(about: OrganizationPageProps) {
  return (
    <KeepersPage {...about} roles={SHOWING} title={(t) => t.ownOrganizationTitle} notYours={(t) => t.ownOrganizationNotYours}>
      {(kept) => <OwnOrganization {...kept} />}
    </KeepersPage>
  );
}

interface Shown {
  readonly profile: Profile;
  readonly images: readonly Image[];
  readonly projects: readonly Project[];
  readonly funds: readonly Fund[];
}

function OwnOrganization(kept: Kept) {
  const speech = useSpeech();
  const { t } = speech;
  const { config, organization } = kept;
  const own = useMemo(() => new OwnApi(config.apiUrl, organization.organizationId), [config, organization]);
  const collecting = useMemo(() => new CollectingApi(config.apiUrl, organization.organizationId), [config, organization]);
  const [shown, setShown] = useState<Shown | null>(null);
  const [failed, setFailed] = useState<unknown>(null);
  const look = async () => {
    const asked = [own.profile(), own.images(), collecting.projects(), collecting.funds()] as const;
    const [profile, images, projects, funds] = await Promise.all(asked);
    setShown({ profile, images, projects, funds });
  };
  useEffect(() => void look().catch(setFailed), []);
  return (
    <>
      <h2>{shown?.profile.said.name ?? organization.name}</h2>
      <p>{t.ownOrganizationAbout}</p>
      <p class="fault" role="alert">
        {failed === null ? "" : wordsOf(speech, failed)}
      </p>
      {shown === null && failed === null && <p role="status">{t.loading}</p>}
      {shown !== null && (
        <>
          {KEEPERS.includes(organization.role) ? (
            <ProfilePart {...kept} own={own} look={look} profile={shown.profile} />
          ) : (
            <ProfileShown profile={shown.profile} />
          )}
          {KINDS.map((kind) => (
            <PicturePart key={kind} {...kept} own={own} look={look} profile={shown.profile} kind={kind} images={shown.images} />
          ))}
          <ProjectsPart {...kept} {...shown} own={own} collecting={collecting} look={look} />
          <FundsPart {...kept} {...shown} own={own} collecting={collecting} look={look} />
        </>
      )}
    </>
  );
}
