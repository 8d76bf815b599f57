import { returnHref } from "../site/returning";
import { useSpeech } from "./language";

interface WayBackProps {
  readonly to: URL;
  /** What the site is told: the gift's standing, or `none` without one. */
  readonly standing: string;
  readonly donationId: string | null;
}

/** A link and not a redirect: the donor reads what became of the gift for as long as they like. */
export function WayBack({ to, standing, donationId }: WayBackProps) {
  const { t } = useSpeech();
  return (
    <p class="way-back">
      <a class={donationId === null ? "" : "primary"} href={returnHref(to, standing, donationId)}>
        {donationId === null ? t.backWithoutGiving(to.host) : t.backTo(to.host)}
      </a>
    </p>
  );
}
