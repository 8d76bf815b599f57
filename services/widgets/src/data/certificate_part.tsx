import { StepHeading } from "../site/step_heading";
import type { Certificate, CertifiedPart } from "./data_api";
import { useDataSpeech } from "./language";
import { Table } from "./table";

interface CertificatePartProps {
  readonly number: number;
  readonly certificate: Certificate | null;
  readonly onClose: () => void;
}

/** What a certificate says, the file itself, and how it is checked without us. */
export function CertificatePart({ number, certificate, onClose }: CertificatePartProps) {
  const { t } = useDataSpeech();
  return (
    <div class="once">
      <StepHeading>{t.certificateOf(number)}</StepHeading>
      {certificate === null ? (
        <p>{t.noCertificate}</p>
      ) : (
        <Said caption={t.certificateOf(number)} certificate={certificate} />
      )}
      <p class="actions">
        {certificate !== null && (
          <button type="button" class="outlined" onClick={() => save(certificate)}>
            {t.download}
          </button>
        )}
        <button type="button" class="outlined" onClick={onClose}>
          {t.close}
        </button>
      </p>
    </div>
  );
}

function Said({ caption, certificate }: { readonly caption: string; readonly certificate: Certificate }) {
  const { t } = useDataSpeech();
  const counted = [t.rows, t.people, t.k, t.l, t.t, t.loss, t.suppressed].map((head) => ({ head, isNumber: true }));
  const files = certificate.parts.map(({ file }) => `--data ${file}`);
  const command = ["amply-verify certificate", certificate.filename, "--key certificates-key.txt", ...files].join(" ");
  return (
    <>
      <Table caption={caption} columns={[{ head: t.file }, ...counted]}>
        <tbody>
          {certificate.parts.map((part) => (
            <PartRow key={part.file} part={part} />
          ))}
        </tbody>
      </Table>
      <p class="about">{t.tMeans}</p>
      <h3>{t.howToCheck}</h3>
      <p>{t.checkCertificate}</p>
      <pre>
        <code>{command}</code>
      </pre>
    </>
  );
}

function PartRow({ part }: { readonly part: CertifiedPart }) {
  const { t, number } = useDataSpeech();
  return (
    <tr>
      <th scope="row">
        <code>{part.file}</code>
      </th>
      {[part.rows, part.people, part.k, part.l].map((count, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: the four columns of a file stay in their order
        <td key={index} class="number">
          {count === null ? t.unknown : number(count)}
        </td>
      ))}
      <td class="number">{part.t ?? t.unknown}</td>
      <td class="number">{part.loss}</td>
      <td class="number">{number(part.suppressed)}</td>
    </tr>
  );
}

function save({ filename, text }: Certificate): void {
  const url = URL.createObjectURL(new Blob([text], { type: "text/plain" }));
  Object.assign(document.createElement("a"), { href: url, download: filename }).click();
  URL.revokeObjectURL(url);
}
