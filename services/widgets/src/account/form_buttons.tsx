import { useSpeech } from "./language";

interface FormButtonsProps {
  /** What sending the form does. */
  readonly action: string;
  readonly onLeave: () => void;
}

/** Sends a form, or leaves what it is about as it is. */
export function FormButtons({ action, onLeave }: FormButtonsProps) {
  const { t } = useSpeech();
  return (
    <div class="actions">
      <button type="submit" class="outlined">
        {action}
      </button>
      <button type="button" class="outlined" onClick={onLeave}>
        {t.leaveIt}
      </button>
    </div>
  );
}
