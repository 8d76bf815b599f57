import { useEffect, useMemo, useState } from "preact/hooks";

import { Failure } from "../account/failure";
import { KeepersPage, type Kept } from "../account/keepers_page";
import { KEEPERS, SHOWING } from "../account/roles";
import { useSpeech } from "../account/language";
import type { SiteConfig } from "../site/config";
import { type Image, KINDS, OwnApi, type Profile } from "./own_api";
import { PicturePart } from "./picture_part";
import { ProfilePart, ProfileShown } from "./profile_part";

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
}

function OwnOrganization(kept: Kept) {
  const { t } = useSpeech();
  const { config, organization } = kept;
  const own = useMemo(() => new OwnApi(config.apiUrl, organization.organizationId), [config, organization]);
  const [shown, setShown] = useState<Shown | null>(null);
  const [failed, setFailed] = useState<unknown>(null);
  const look = async () => {
    const [profile, images] = await Promise.all([own.profile(), own.images()]);
    setShown({ profile, images });
  };
  useEffect(() => void look().catch(setFailed), []);
  return (
    <>
      <h2>{shown?.profile.said.name ?? organization.name}</h2>
      <p>{t.ownOrganizationAbout}</p>
      <Failure of={failed} />
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
        </>
      )}
    </>
  );
}
