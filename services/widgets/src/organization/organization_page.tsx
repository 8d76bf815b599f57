import { useMemo } from "preact/hooks";

import { Failure } from "../account/failure";
import { useSpeech } from "../account/language";
import { type AskedPageProps, type Kept, OrganizationAdminPage } from "../account/organization_admin_page";
import { AT_HOME, KEEPERS, RECEIPTING, REFUNDING, SHOWING } from "../account/roles";
import { useLoaded } from "../account/use_loaded";
import { CollectingApi } from "./collecting_api";
import { FundsPart } from "./funds_part";
import { GiftsPart } from "./gifts_part";
import { KINDS, OwnApi } from "./own_api";
import { PicturePart } from "./picture_part";
import { ProfilePart, ProfileShown } from "./profile_part";
import { ProjectsPart } from "./projects_part";
import { ReceiptsApi } from "./receipts_api";
import { ReceiptsPart } from "./receipts_part";

/** What an organisation shows of itself, what its receipts say, and what it was given, for members who look after that. */
export function OrganizationPage(about: AskedPageProps) {
  return (
    <OrganizationAdminPage
      {...about}
      roles={AT_HOME}
      title={(t) => t.ownOrganizationTitle}
      notYours={(t) => t.ownOrganizationNotYours}
    >
      {(kept) => <OwnOrganization {...kept} />}
    </OrganizationAdminPage>
  );
}

function OwnOrganization(kept: Kept) {
  const { t } = useSpeech();
  const { config, organization } = kept;
  const own = useMemo(() => new OwnApi(config.apiUrl, organization.organizationId), [config, organization]);
  const collecting = useMemo(
    () => new CollectingApi(config.apiUrl, organization.organizationId),
    [config, organization],
  );
  const receipting = useMemo(() => new ReceiptsApi(config.apiUrl, organization.organizationId), [config, organization]);
  const { shown, failed, look } = useLoaded(async () => {
    const receipts = RECEIPTING.includes(organization.role) ? receipting.settings() : null;
    const asked = [own.profile(), own.images(), collecting.projects(), collecting.funds(), receipts] as const;
    const [profile, images, projects, funds, settings] = await Promise.all(asked);
    return { profile, images, projects, funds, settings };
  });
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
          {shown.settings !== null && (
            <ReceiptsPart {...kept} receipting={receipting} look={look} settings={shown.settings} />
          )}
          {REFUNDING.includes(organization.role) && <GiftsPart {...kept} />}
          {SHOWING.includes(organization.role) && (
            <>
              {KINDS.map((kind) => (
                <PicturePart
                  key={kind}
                  {...kept}
                  own={own}
                  look={look}
                  profile={shown.profile}
                  kind={kind}
                  images={shown.images}
                />
              ))}
              <ProjectsPart {...kept} {...shown} own={own} collecting={collecting} look={look} />
              <FundsPart {...kept} {...shown} own={own} collecting={collecting} look={look} />
            </>
          )}
        </>
      )}
    </>
  );
}
