import { Asking } from "../account/asking";
import { momentIn, useSpeech } from "../account/language";
import type { Key } from "./keys_api";

interface KeyRowProps {
  readonly of: Key;
  readonly onRotate: () => void;
  readonly onRevoke: () => void;
}

/** One key: what it is for, what it may do, when it was used, and what can be done with it. */
export function KeyRow({ of: key, onRotate, onRevoke }: KeyRowProps) {
  const { t, language, day } = useSpeech();
  const facts = [
    key.isLive ? t.keyLive : t.keyTest,
    t.keyEnds(key.lastFour),
    key.lastUsedAt === null ? t.keyUnused : t.keyUsed(momentIn(language, key.lastUsedAt)),
    ...(key.expiresAt === null ? [] : [t.keyExpires(day(key.expiresAt))]),
    ...(key.revokedAt === null ? [] : [t.keyRevokedOn(day(key.revokedAt))]),
  ];
  return (
    <li class={key.revokedAt === null ? undefined : "about"}>
      <p>
        <strong>{key.name}</strong>
      </p>
      <p class="about">{facts.join(" · ")}</p>
      <p class="about">
        <code>{key.scopes.join(" ")}</code>
      </p>
      {key.revokedAt === null && (
        <div class="actions">
          <Asking
            action={t.rotate}
            about={key.name}
            sentence={t.rotateAbout}
            yes={t.rotateNow}
            no={t.leaveIt}
            onYes={onRotate}
          />
          <Asking
            action={t.revoke}
            about={key.name}
            sentence={t.revokeAbout}
            yes={t.revokeNow}
            no={t.leaveIt}
            onYes={onRevoke}
          />
        </div>
      )}
    </li>
  );
}
