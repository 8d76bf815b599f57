import { useSpeech, wordsOf } from "./language";

/** Why something did not work; nothing while `of` is null. It is always there, so that it is read out when it comes. */
export function Failure({ of: reason }: { readonly of: unknown }) {
  const speech = useSpeech();
  return (
    <p class="fault" role="alert">
      {reason === null ? "" : wordsOf(speech, reason)}
    </p>
  );
}
